"""Credit comes into a wallet, and leaves it without having been charged."""

from uuid import UUID

import msgspec

from domain.ledger.events import AMOUNT_NANO_MAX, CreditLotExpired, CreditLotGranted, WalletEvent
from domain.ledger.lots import PRIORITY, PRIORITY_MAX, LotSource
from domain.ledger.pursuit import pursue
from domain.ledger.refusals import AmountOutOfRange, LedgerRefusal
from domain.ledger.wallet import Wallet
from domain.refusal import BadField

ALIASES_MAX = 100


class LotAlreadyGranted(LedgerRefusal):
    """This lot was granted before; a repeated command must not add credit twice."""

    code = "lot_already_granted"


class LotConditions(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of a new lot. Without any of it, it is good for everything, at once and for ever."""

    priority: int = PRIORITY
    effective_us: int | None = None
    expires_us: int | None = None
    aliases: tuple[str, ...] = ()


UNCONDITIONAL = LotConditions()


class CostBasis(msgspec.Struct, frozen=True, kw_only=True):
    """Which order bought a lot, and for how much money: in minor units of the currency, without tax."""

    order_id: UUID
    cost_minor: int
    currency: str


def grant_credit(
    wallet: Wallet,
    *,
    account_id: UUID,
    lot_id: UUID,
    amount_nano: int,
    source: LotSource,
    reason: str,
    granted_by: str,
    now_us: int,
    conditions: LotConditions = UNCONDITIONAL,
    bought: CostBasis | None = None,
) -> list[WalletEvent]:
    """Add a lot of credit; what the account owes is paid of it at once.

    Raises:
        AmountOutOfRange: the amount is not positive, or the wallet would leave the 64-bit range.
        LotAlreadyGranted: the lot id was used before; nothing is added.
        BadField: a priority beyond 0 to 100, an end that is not after the beginning, or models that are none.
    """
    if not 0 < amount_nano <= AMOUNT_NANO_MAX - wallet.granted_nano:
        raise AmountOutOfRange(str(amount_nano))
    if lot_id in wallet.lots:
        raise LotAlreadyGranted(str(lot_id))
    _check(conditions, now_us)
    granted = CreditLotGranted(
        account_id=account_id,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source=source,
        reason=reason,
        granted_by=granted_by,
        occurred_us=now_us,
        priority=msgspec.UNSET if conditions.priority == PRIORITY else conditions.priority,
        effective_us=msgspec.UNSET if conditions.effective_us is None else conditions.effective_us,
        expires_us=msgspec.UNSET if conditions.expires_us is None else conditions.expires_us,
        aliases=conditions.aliases or msgspec.UNSET,
        order_id=msgspec.UNSET if bought is None else bought.order_id,
        cost_minor=msgspec.UNSET if bought is None else bought.cost_minor,
        currency=msgspec.UNSET if bought is None else bought.currency,
    )
    return pursue(wallet, [granted], account_id=account_id, now_us=now_us)


def expire_lots(wallet: Wallet, *, account_id: UUID, now_us: int) -> list[WalletEvent]:
    """End lots whose time is over, with what no lease has of them, if only nothing.

    No decision waits for it: such credit is lent to nobody.
    """
    return [
        CreditLotExpired(
            account_id=account_id, lot_id=lot_id, amount_nano=wallet.lots[lot_id], occurred_us=now_us
        )
        for lot_id in wallet.limited
        if wallet.terms[lot_id].has_expired(now_us)
    ]


def _check(conditions: LotConditions, now_us: int) -> None:
    if not 0 <= conditions.priority <= PRIORITY_MAX:
        raise BadField("priority", f"must be 0 to {PRIORITY_MAX}")
    begins_us = now_us if conditions.effective_us is None else conditions.effective_us
    if begins_us < 0:
        raise BadField("effective_us", "must not be negative")
    if conditions.expires_us is not None and conditions.expires_us <= max(begins_us, now_us):
        raise BadField("expires_us", "must be in the future, and after the lot's beginning")
    if len(conditions.aliases) > ALIASES_MAX or not all(conditions.aliases):
        raise BadField("aliases", f"must be at most {ALIASES_MAX} names of models, none of them empty")
