"""Take back what is left of a lot of credit."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.adjustments.posting import Adjusted, Drafted, draft, load_adjustment, store_draft
from application.command import Command, Ports
from application.ledger.wallet_reader import load_wallet
from domain.fact import Actor
from domain.ledger import adjusting
from domain.ledger.adjustments import AdjustmentRequested
from domain.operators import Permission
from domain.text import REASON_CHARS_MAX, printable


class VoidLot(Command, frozen=True, kw_only=True):
    """What gateways have of it is spent by requests under way, or comes back and is gone. Done once."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    lot_id: UUID
    reason: str
    adjustment_id: UUID | None = None


def handle(command: VoidLot, *, actor: Actor, ports: Ports) -> Adjusted:
    """Take it back, or let that wait for another operator if what is left is above `ports.approval_nano`.

    Raises:
        NotFound: there is no such account, or it has no such lot.
        WrongState: the lot's time is over, it was taken back before, or nothing is left of it.
        BadField: the reason cannot be shown.
        AlreadyExists: the id is of another adjustment.
    """
    load_account(ports.store, command.account_id)
    reason = printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX)
    adjustment_id, now_us = command.adjustment_id or ports.ids.new(), ports.clock.now_us()

    def once() -> Drafted:
        earlier, _ = load_adjustment(ports.store, adjustment_id)
        wallet = load_wallet(ports.store, command.account_id).wallet
        left_nano = 0 if earlier.asked else adjusting.left_of(wallet, command.lot_id, now_us=now_us)
        return draft(
            ports,
            AdjustmentRequested(
                adjustment_id=adjustment_id,
                account_id=command.account_id,
                kind="void",
                amount_nano=left_nano,
                reason=reason,
                waits=left_nano > ports.approval_nano,
                lot_id=command.lot_id,
                occurred_us=now_us,
                actor=actor.label,
            ),
        )

    return store_draft(ports, once)
