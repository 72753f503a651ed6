"""What an adjustment does to a wallet: a lot of goodwill, credit taken in the order of spending, a lot taken back, or a
debt given up.
"""

from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.claim_events import ReceivableWrittenOff
from domain.ledger.credit import LotAlreadyGranted
from domain.ledger.events import AMOUNT_NANO_MAX, AdjustmentPosted, CreditLotVoided, WalletEvent
from domain.ledger.lending import draw
from domain.ledger.lots import Slice, Slices
from domain.ledger.pursuit import pursue
from domain.ledger.refusals import AmountOutOfRange, LedgerRefusal
from domain.ledger.wallet import Wallet
from domain.refusal import NotFound, WrongState


class NotEnoughToTake(LedgerRefusal):
    """The account has less to take than the debit; nothing was taken. A balance is never negative.

    What is lent to gateways cannot be taken: they give it back within seconds once no request needs it.
    """

    code: ClassVar[str] = "not_enough_to_take"

    def __init__(self, *, required_nano: int, available_nano: int, lent_nano: int) -> None:
        super().__init__(
            f"required {required_nano} nano-credits, available {available_nano}, lent to gateways {lent_nano}"
        )
        self.required_nano = required_nano
        self.available_nano = available_nano
        self.lent_nano = lent_nano


class MoreThanOwed(LedgerRefusal):
    """The account owes less than is to be given up; nothing changed."""

    code: ClassVar[str] = "more_than_owed"

    def __init__(self, *, required_nano: int, owed_nano: int) -> None:
        super().__init__(f"{required_nano} nano-credits were to be given up, {owed_nano} are owed")
        self.required_nano = required_nano
        self.owed_nano = owed_nano


def post(
    wallet: Wallet, asked: AdjustmentRequested, *, approved_by: str | None, now_us: int
) -> list[WalletEvent]:
    """Move the credit. Must be stored in one append with the fact that it was asked for, or approved: that makes it happen once.

    Raises:
        AmountOutOfRange: not positive, or the wallet would leave the 64-bit range.
        LotAlreadyGranted: a lot has the adjustment's id.
        NotEnoughToTake, MoreThanOwed: see there.
        NotFound, WrongState: the lot to take back is none, or there is nothing left of it.
    """
    match asked.kind:
        case "credit":
            if not 0 < asked.amount_nano <= AMOUNT_NANO_MAX - wallet.granted_nano:
                raise AmountOutOfRange(str(asked.amount_nano))
            if asked.adjustment_id in wallet.lots:
                raise LotAlreadyGranted(str(asked.adjustment_id))
            added = (Slice(asked.adjustment_id, asked.amount_nano),)
            posted = _posted(asked, approved_by=approved_by, now_us=now_us, added=added)
            return pursue(wallet, [posted], account_id=asked.account_id, now_us=now_us)
        case "debit":
            taken = _take(wallet, asked.amount_nano, now_us=now_us)
            return [_posted(asked, approved_by=approved_by, now_us=now_us, taken=taken)]
        case "void":
            return [_void(wallet, asked, approved_by=approved_by, now_us=now_us)]
        case "write_off":
            return [_write_off(wallet, asked, approved_by=approved_by, now_us=now_us)]
        case _:
            assert_never(asked.kind)


def left_of(wallet: Wallet, lot_id: UUID, *, now_us: int) -> int:
    """What a void would take of a lot in the end, were no more of it charged: what leases have of it as well.

    Raises:
        NotFound: the account has no such lot.
        WrongState: its time is over, it was taken back before, or nothing is left of it.
    """
    if lot_id not in wallet.lots:
        raise NotFound("lot", lot_id)
    if wallet.is_over(lot_id, now_us):
        raise WrongState("lot", "over")
    lent_nano = sum(
        part.amount_nano for lease in wallet.leases.values() for part in lease.slices if part.lot_id == lot_id
    )
    left_nano = wallet.lots[lot_id] + lent_nano
    if not left_nano:
        raise WrongState("lot", "used up")
    return left_nano


def _take(wallet: Wallet, amount_nano: int, *, now_us: int) -> Slices:
    available_nano = wallet.available_for_nano(None, now_us)
    if amount_nano > available_nano:
        raise NotEnoughToTake(
            required_nano=amount_nano, available_nano=available_nano, lent_nano=wallet.leased_nano
        )
    return draw(wallet, amount_nano, alias=None, now_us=now_us, mode="micro")


def _posted(
    asked: AdjustmentRequested,
    *,
    approved_by: str | None,
    now_us: int,
    added: Slices = (),
    taken: Slices = (),
) -> AdjustmentPosted:
    return AdjustmentPosted(
        account_id=asked.account_id,
        adjustment_id=asked.adjustment_id,
        direction="credit" if added else "debit",
        amount_nano=asked.amount_nano,
        reason=asked.reason,
        requested_by=asked.actor,
        occurred_us=now_us,
        added=added or msgspec.UNSET,
        taken=taken or msgspec.UNSET,
        approved_by=msgspec.UNSET if approved_by is None else approved_by,
        ref=asked.ref,
    )


def _void(
    wallet: Wallet, asked: AdjustmentRequested, *, approved_by: str | None, now_us: int
) -> CreditLotVoided:
    lot_id = asked.lot_id
    assert isinstance(lot_id, UUID)  # a void names its lot
    left_of(wallet, lot_id, now_us=now_us)
    return CreditLotVoided(
        account_id=asked.account_id,
        lot_id=lot_id,
        source=wallet.terms[lot_id].source,
        amount_nano=wallet.lots[lot_id],
        adjustment_id=asked.adjustment_id,
        reason=asked.reason,
        requested_by=asked.actor,
        occurred_us=now_us,
        approved_by=msgspec.UNSET if approved_by is None else approved_by,
    )


def _write_off(
    wallet: Wallet, asked: AdjustmentRequested, *, approved_by: str | None, now_us: int
) -> ReceivableWrittenOff:
    if asked.amount_nano <= 0:
        raise AmountOutOfRange(str(asked.amount_nano))
    if asked.amount_nano > wallet.owed_nano:
        raise MoreThanOwed(required_nano=asked.amount_nano, owed_nano=wallet.owed_nano)
    return ReceivableWrittenOff(
        account_id=asked.account_id,
        adjustment_id=asked.adjustment_id,
        amount_nano=asked.amount_nano,
        reason=asked.reason,
        requested_by=asked.actor,
        occurred_us=now_us,
        approved_by=msgspec.UNSET if approved_by is None else approved_by,
    )
