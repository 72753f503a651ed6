"""Give an account credit, or take some, because something before was wrong."""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.adjustments.posting import Adjusted, draft, store_draft
from application.command import Command, Ports
from domain.fact import Actor
from domain.ledger.adjustments import AdjustmentRequested
from domain.operators import Permission
from domain.text import REASON_CHARS_MAX, printable


class AdjustCredit(Command, frozen=True, kw_only=True):
    """`ref` is the request, run or fact that it is about. The same `adjustment_id` is posted once."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    direction: Literal["credit", "debit"]
    amount_nano: int
    reason: str
    ref: UUID | None = None
    adjustment_id: UUID | None = None


def handle(command: AdjustCredit, *, actor: Actor, ports: Ports) -> Adjusted:
    """Post it, or let it wait for another operator above `ports.approval_nano`.

    Raises:
        NotFound: there is no such account.
        BadField: the reason cannot be shown.
        AlreadyExists: the id is of another adjustment.
        NotEnoughToTake, AmountOutOfRange, LotAlreadyGranted: as `adjusting.post`.
    """
    load_account(ports.store, command.account_id)
    wanted = AdjustmentRequested(
        adjustment_id=command.adjustment_id or ports.ids.new(),
        account_id=command.account_id,
        kind=command.direction,
        amount_nano=command.amount_nano,
        reason=printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX),
        waits=command.amount_nano > ports.approval_nano,
        ref=msgspec.UNSET if command.ref is None else command.ref,
        occurred_us=ports.clock.now_us(),
        actor=actor.label,
    )
    return store_draft(ports, lambda: draft(ports, wanted))
