"""Keep the bodies of an account from now on, or no longer."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.bodies.stream import decide_bodies
from application.command import Command, Done, Ports, stamp
from domain import bodies
from domain.fact import Actor
from domain.operators import Permission


class SetBodyLogging(Command, frozen=True, kw_only=True):
    """Whether requests and answers are kept. It is off for every account until this says otherwise."""

    permission: ClassVar[Permission] = "bodies"

    account_id: UUID
    enabled: bool
    reason: str


def handle(command: SetBodyLogging, *, actor: Actor, ports: Ports) -> Done:
    """Switch it; gateways follow within two seconds. Raises as `bodies.set_logging`."""
    at, account = stamp(ports, actor), load_account(ports.store, command.account_id)
    return decide_bodies(
        ports.store,
        command.account_id,
        lambda logging: bodies.set_logging(
            logging, account, enabled=command.enabled, reason=command.reason, stamp=at
        ),
    )
