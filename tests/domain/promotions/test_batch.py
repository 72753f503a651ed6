"""Batches of codes: what may be made, and when a code becomes credit."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.fact import Stamp
from domain.ledger.events import AMOUNT_NANO_MAX, CreditLotGranted
from domain.ledger.wallet import Wallet
from domain.promotions import batch as rules
from domain.promotions.batch import CODES_MAX, DAYS_MAX, Batch, Code, CodeLimit, CodeUsed
from domain.promotions.codes import BadCode
from domain.promotions.events import (
    CodeBatchIssued,
    CodeBatchWithdrawn,
    RedemptionCodeIssued,
    RedemptionCodeRedeemed,
    RedemptionCounted,
)
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.spec import Spec

BATCH, ACCOUNT, LOT = UUID(int=1), UUID(int=2), UUID(int=3)
AT = Stamp(now_us=100, actor="operator:x")
ISSUED = CodeBatchIssued(
    batch_id=BATCH, count=2, amount_nano=50, per_account=1, note="fair", occurred_us=100, actor="operator:x"
)
WITHDRAWN = CodeBatchWithdrawn(batch_id=BATCH, reason="leaked", occurred_us=100, actor="operator:x")
CODE = Code(batch_id=BATCH)
spec: Spec[Batch | None] = Spec(rules.evolve, initial=None)


def redeem(
    code: Code | None = CODE, batch: Batch | None = None, *, before: int = 0, now_us: int = 100
) -> tuple[RedemptionCodeRedeemed, RedemptionCounted]:
    return rules.redeem(
        code,
        batch or Batch(issued=ISSUED),
        redeemed_before=before,
        account_id=ACCOUNT,
        lot_id=LOT,
        stamp=msgspec.structs.replace(AT, now_us=now_us),
    )


def test_a_batch_is_made_once() -> None:
    """With a note that says what for."""
    wanted = msgspec.structs.replace(ISSUED, note=" fair ", actor="somebody else")
    spec.given().when(lambda batch: rules.issue(batch, wanted=wanted, stamp=AT)).then(ISSUED)
    spec.given(ISSUED).when(lambda batch: rules.issue(batch, wanted=wanted, stamp=AT)).then_refused(
        AlreadyExists
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 0},
        {"count": CODES_MAX + 1},
        {"amount_nano": 0},
        {"amount_nano": -1},
        {"amount_nano": AMOUNT_NANO_MAX // CODES_MAX + 1},
        {"per_account": 0},
        {"redeem_until_us": 100},
        {"redeem_until_us": 2**63},
        {"credit_days": 0},
        {"credit_days": DAYS_MAX + 1},
        {"aliases": ("",)},
        {"aliases": ("a",) * 101},
        {"note": " "},
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    """Each by its field."""
    wanted = msgspec.structs.replace(ISSUED, **changes)
    spec.given().when(lambda batch: rules.issue(batch, wanted=wanted, stamp=AT)).then_refused(BadField)


def test_a_batch_is_withdrawn_once() -> None:
    """What is not there cannot be."""

    def withdraw(batch: Batch | None) -> list[rules.BatchEvent]:
        return rules.withdraw(batch, reason="leaked", stamp=AT)

    spec.given(ISSUED).when(withdraw).then(WITHDRAWN)
    spec.given(ISSUED, WITHDRAWN).when(withdraw).then_nothing()
    spec.given().when(withdraw).then_refused(NotFound)


def test_a_code_is_used_up_for_its_account() -> None:
    """The fact on the code and the one that counts name the same lot."""
    used, counted = redeem()
    assert (used.account_id, used.lot_id, used.batch_id) == (ACCOUNT, LOT, BATCH)
    assert (counted.account_id, counted.lot_id, counted.batch_id) == (ACCOUNT, LOT, BATCH)
    first = RedemptionCodeIssued(batch_id=BATCH, occurred_us=1, actor="x")
    code = rules.evolve_code(rules.evolve_code(None, first), used)
    with pytest.raises(CodeUsed):
        redeem(code)


def test_what_is_not_withdrawn_over_or_enough_is_refused() -> None:
    """In that order; a code that is not there is none."""
    until = Batch(issued=msgspec.structs.replace(ISSUED, redeem_until_us=200))
    assert redeem(batch=until, now_us=199)
    with pytest.raises(WrongState, match="over"):
        redeem(batch=until, now_us=200)
    with pytest.raises(WrongState, match="withdrawn"):
        redeem(batch=Batch(issued=ISSUED, withdrawn=True))
    with pytest.raises(CodeLimit) as refusal:
        redeem(before=1)
    assert refusal.value.per_account == 1
    with pytest.raises(BadCode):
        redeem(None)


def test_credit_is_promotional_and_ends_its_days_after_the_redemption() -> None:
    """For the models of the batch; for ever and for all if it does not say."""
    limited = Batch(issued=msgspec.structs.replace(ISSUED, credit_days=2, aliases=("small",)))
    (lot,) = rules.credit_of(limited, Wallet(), account_id=ACCOUNT, lot_id=LOT, stamp=AT)
    assert isinstance(lot, CreditLotGranted)
    assert (lot.source, lot.amount_nano, lot.aliases) == ("promo", 50, ("small",))
    assert lot.expires_us == 100 + 2 * 86_400_000_000
    (plain,) = rules.credit_of(Batch(issued=ISSUED), Wallet(), account_id=ACCOUNT, lot_id=LOT, stamp=AT)
    assert isinstance(plain, CreditLotGranted)
    assert (plain.expires_us, plain.aliases) == (msgspec.UNSET, msgspec.UNSET)
