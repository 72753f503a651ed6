"""Let no code of a batch be redeemed any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.operators import Permission
from domain.promotions import batch as rules
from domain.promotions.batch import batch_stream


class WithdrawCodes(Command, frozen=True, kw_only=True):
    """What was redeemed of it stays where it is. A redemption that is under way may still come through."""

    permission: ClassVar[Permission] = "credit"

    batch_id: UUID
    reason: str


def handle(command: WithdrawCodes, *, actor: Actor, ports: Ports) -> Done:
    """Withdraw it; raises as `batch.withdraw`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        batch_stream(command.batch_id),
        None,
        rules.evolve,
        lambda batch: rules.withdraw(batch, reason=command.reason, stamp=at),
    )
