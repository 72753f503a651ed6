"""The command with which an operator adds credit to an account."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Ports
from application.ledger import grant_credit as ledger
from domain.fact import Actor
from domain.ledger.credit import LotConditions
from domain.ledger.lots import PRIORITY, LotSource
from domain.operators import Permission
from domain.text import REASON_CHARS_MAX, printable


class GrantCredit(Command, frozen=True, kw_only=True):
    """Credit for an account, in nano-credits. The same `lot_id` is granted once."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    amount_nano: int
    reason: str
    source: LotSource = "paid"
    priority: int = PRIORITY
    effective_us: int | None = None
    expires_us: int | None = None
    models: tuple[str, ...] = ()
    lot_id: UUID | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The lot, and all that was ever granted to the account, this lot included."""

    lot_id: UUID
    amount_nano: int
    granted_nano: int


def handle(command: GrantCredit, *, actor: Actor, ports: Ports) -> Granted:
    """Grant it.

    Raises:
        NotFound: there is no such account.
        BadField: the reason cannot be shown.
        Others as `application.ledger.grant_credit`.
    """
    reason = printable(command.reason, field="reason", chars_max=REASON_CHARS_MAX)
    load_account(ports.store, command.account_id)
    lot_id = command.lot_id or ports.ids.new()
    wallet = ledger.grant_credit(
        ledger.GrantCredit(
            account_id=command.account_id,
            lot_id=lot_id,
            amount_nano=command.amount_nano,
            source=command.source,
            reason=reason,
            granted_by=actor.label,
            conditions=LotConditions(
                priority=command.priority,
                effective_us=command.effective_us,
                expires_us=command.expires_us,
                aliases=command.models,
            ),
        ),
        store=ports.store,
        clock=ports.clock,
    )
    return Granted(lot_id=lot_id, amount_nano=command.amount_nano, granted_nano=wallet.granted_nano)
