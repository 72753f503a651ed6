"""Do not agree to a limit."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.postpaid.stream import change_postpaid
from domain.fact import Actor
from domain.operators import Permission
from domain.postpaid.limiting import deny


class DenyPostpaidLimit(Command, frozen=True, kw_only=True):
    """The limit stays what it was. Proposers take their own back with it too."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    proposal_id: UUID
    reason: str


def handle(command: DenyPostpaidLimit, *, actor: Actor, ports: Ports) -> Done:
    """Deny it; raises as `limiting.deny`."""
    at = stamp(ports, actor)
    return change_postpaid(
        ports.store,
        command.account_id,
        lambda postpaid: deny(
            postpaid,
            command.proposal_id,
            account_id=command.account_id,
            reason=command.reason,
            stamp=at,
        ),
    )
