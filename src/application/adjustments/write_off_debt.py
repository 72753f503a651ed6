"""Give up what an account owes, or some of it."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.adjustments.posting import Adjusted, draft, store_draft
from application.command import Command, Ports
from domain.fact import Actor
from domain.ledger.adjustments import AdjustmentRequested
from domain.operators import Permission
from domain.text import REASON_CHARS_MAX, printable


class WriteOffDebt(Command, frozen=True, kw_only=True):
    """However little it is, a second operator must agree. `ref` is the order or fact that it is about."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    amount_nano: int
    reason: str
    ref: UUID | None = None
    adjustment_id: UUID | None = None


def handle(command: WriteOffDebt, *, actor: Actor, ports: Ports) -> Adjusted:
    """Ask for it.

    Raises:
        NotFound: there is no such account.
        BadField: the reason cannot be shown.
        AlreadyExists: the id is of another adjustment.
        MoreThanOwed, AmountOutOfRange: as `adjusting.post`.
    """
    load_account(ports.store, command.account_id)
    wanted = AdjustmentRequested(
        adjustment_id=command.adjustment_id or ports.ids.new(),
        account_id=command.account_id,
        kind="write_off",
        amount_nano=command.amount_nano,
        reason=printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX),
        waits=True,
        ref=msgspec.UNSET if command.ref is None else command.ref,
        occurred_us=ports.clock.now_us(),
        actor=actor.label,
    )
    return store_draft(ports, lambda: draft(ports, wanted))
