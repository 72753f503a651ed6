"""The second operator agrees to a limit."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, stamp
from application.postpaid.stream import change_postpaid
from domain.fact import Actor
from domain.operators import Permission
from domain.postpaid.limiting import approve


class ApprovePostpaidLimit(Command, frozen=True, kw_only=True):
    """From now on the account buys on account up to it."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    proposal_id: UUID


def handle(command: ApprovePostpaidLimit, *, actor: Actor, ports: Ports) -> Done:
    """Approve it; raises as `limiting.approve`."""
    at = stamp(ports, actor)
    return change_postpaid(
        ports.store,
        command.account_id,
        lambda postpaid: approve(
            postpaid, command.proposal_id, account_id=command.account_id, by=actor, stamp=at
        ),
    )
