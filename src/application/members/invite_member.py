"""Let somebody into a customer's workspace."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Ports, stamp
from application.i18n.locales import SOURCE, Locale
from application.mail.invitations import Invited, check_invited, mail_invitation
from application.members.stream import decide_members
from application.people.links import Link, hash_of, new_secret
from domain import accounts, members
from domain.fact import Actor
from domain.members import MemberRole
from domain.operators import Permission
from domain.secret import Secret


class InviteMember(Command, frozen=True, kw_only=True):
    """A link; whoever follows it within a week becomes a member with this role."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    role: MemberRole
    email: str | None = None  #: who gets the link by mail; nobody if left out
    locale: Locale = SOURCE
    invitation_id: UUID | None = None

    def __repr__(self) -> str:
        return f"InviteMember(account_id={self.account_id}, role={self.role!r})"


def handle(command: InviteMember, *, actor: Actor, ports: Ports) -> Link:
    """Make the link and show it, once; and mail it, if there is an address.

    Raises:
        NotFound, WrongState: there is no such account, or it is closed.
        Others as `members.invite` and `check_invited`.
    """
    accounts.not_closed(load_account(ports.store, command.account_id))
    invited = None if command.email is None else Invited(email=command.email, locale=command.locale)
    if invited is not None:
        check_invited(invited, inviter_id=command.account_id, ports=ports)
    secret, at = new_secret(ports), stamp(ports, actor)
    invitation_id = command.invitation_id or ports.ids.new()
    done = decide_members(
        ports.store,
        command.account_id,
        lambda state: members.invite(
            state,
            account_id=command.account_id,
            invitation_id=invitation_id,
            role=command.role,
            secret_hash=hash_of(ports, secret),
            by=actor,
            stamp=at,
        ),
    )
    link = Secret(f"/join/{command.account_id}/{secret}")
    if invited is not None:
        workspace = ports.names.get([command.account_id]).get(command.account_id, str(command.account_id))
        mail_invitation(
            invited,
            subject_id=command.account_id,
            path=link,
            role=command.role,
            workspace=workspace,
            ports=ports,
        )
    return Link(invitation_id=invitation_id, link=link, is_mailed=invited is not None, done=done)
