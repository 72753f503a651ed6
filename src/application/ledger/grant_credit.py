"""Add credit to an account, with a reason."""

from uuid import UUID

import msgspec

from application.clock import Clock
from application.eventlog import EventStore
from application.ledger.change_wallet import change_wallet
from domain.ledger import credit
from domain.ledger.credit import UNCONDITIONAL, LotConditions
from domain.ledger.lots import LotSource
from domain.ledger.wallet import Wallet


class GrantCredit(msgspec.Struct, frozen=True, kw_only=True):
    """`lot_id` makes the command safe to repeat: the same lot is granted once."""

    account_id: UUID
    lot_id: UUID
    amount_nano: int
    source: LotSource
    reason: str
    granted_by: str
    conditions: LotConditions = UNCONDITIONAL


def grant_credit(command: GrantCredit, *, store: EventStore, clock: Clock) -> Wallet:
    """Grant a lot; returns the wallet as it stands then. The account's existence is the caller's to check.

    Raises:
        LotAlreadyGranted: the lot exists; nothing was added.
        AmountOutOfRange: the amount is not positive, or beyond 64 bits.
        BadField: as `domain.ledger.credit.grant_credit`.
        LogUnavailable, VersionConflict: nothing was added.
    """
    return change_wallet(
        store,
        command.account_id,
        lambda wallet: credit.grant_credit(
            wallet,
            account_id=command.account_id,
            lot_id=command.lot_id,
            amount_nano=command.amount_nano,
            source=command.source,
            reason=command.reason,
            granted_by=command.granted_by,
            now_us=clock.now_us(),
            conditions=command.conditions,
        ),
    )
