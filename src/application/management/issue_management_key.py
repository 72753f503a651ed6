"""Make a management key, with which a customer's programs use `/api`."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Ports, stamp
from application.keys.stream import fresh_secret
from application.management.stream import IssuedManagementKey, decide_management
from application.members.stream import load_members
from domain import management
from domain.fact import Actor
from domain.keys.secret import MANAGEMENT_PREFIX
from domain.management import ManagementRole
from domain.operators import Permission
from domain.text import printable


class IssueManagementKey(Command, frozen=True, kw_only=True):
    """A key that may do in one account what the role allows; one that a member makes never more than they."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    name: str
    role: ManagementRole
    key_id: UUID | None = None
    expires_us: int | None = None  #: Unix microseconds


def handle(command: IssueManagementKey, *, actor: Actor, ports: Ports) -> IssuedManagementKey:
    """Issue it and show its secret, once.

    Raises:
        NotFound: there is no such account.
        Others as `management.issue`, and `BadField` for the name.
    """
    name = printable(command.name, field="name")
    account = load_account(ports.store, command.account_id)
    members = load_members(ports.store, command.account_id)
    key_id = command.key_id or ports.ids.new()
    secret, record = fresh_secret(ports, prefix=MANAGEMENT_PREFIX)
    at = stamp(ports, actor)
    done = decide_management(
        ports,
        key_id,
        lambda key: management.issue(
            key,
            key_id=key_id,
            account=account,
            members=members,
            role=command.role,
            secret=record,
            expires_us=command.expires_us,
            by=actor,
            stamp=at,
        ),
    )
    ports.names.put(key_id, name)
    return IssuedManagementKey(key_id=key_id, secret=secret, prefix=record.prefix, done=done)
