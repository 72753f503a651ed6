"""Sell nothing more on account to an account."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, stamp
from application.postpaid.stream import change_postpaid
from domain.fact import Actor
from domain.operators import Permission
from domain.postpaid.limiting import lift


class LiftPostpaidLimit(Command, frozen=True, kw_only=True):
    """What was bought stays bought, and is due when it was."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    reason: str


def handle(command: LiftPostpaidLimit, *, actor: Actor, ports: Ports) -> Done:
    """Lift it; raises as `limiting.lift`, and `NotFound`."""
    load_account(ports.store, command.account_id)
    at = stamp(ports, actor)
    return change_postpaid(
        ports.store,
        command.account_id,
        lambda postpaid: lift(postpaid, account_id=command.account_id, reason=command.reason, stamp=at),
    )
