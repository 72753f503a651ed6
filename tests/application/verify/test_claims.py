"""`ledger verify` finds what breaks the rules of credit whose payment goes back, and only that."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from application.adjustments.posting import adjustment_stream
from domain.fact import Stamp
from domain.ledger import adjusting, claims, credit, lending
from domain.ledger.adjustments import Adjustment, AdjustmentApproved, AdjustmentRequested, approve, evolve
from domain.ledger.claim_events import (
    CreditFrozen,
    CreditUnfrozen,
    FrozenCreditTaken,
    ReceivableSettled,
    ReceivableWrittenOff,
    TakenCreditRestored,
)
from domain.ledger.claims import Claimed
from domain.ledger.credit import LotConditions
from domain.ledger.events import LeaseGranted, Owner, WalletEvent
from domain.ledger.lots import Slice
from tests.application.verify.test_adjustments import FIRST, SECOND, again, replaced, without
from tests.application.verify.test_lots import ACCOUNT, AT, KEY, LEASE, PLAIN, PROMO, Told, check

REFUND, WON, LOST, EXTERNAL, WRITTEN = (UUID(int=number) for number in range(91, 96))


class GoneBack(Told):
    """A lawful story: a refund, a dispute that is won and one that is lost while a lease has some of the lot, one that fails
    after all, and a debt that is paid in part and given up.
    """

    def _tell(self) -> None:
        self._grant(PLAIN, 1_000, LotConditions())
        self._store(claims.reserve(self.wallet, self._on(REFUND), amount_nano=100, now_us=AT))
        self._store(claims.take(self.wallet, self._on(REFUND), amount_nano=100, now_us=AT))
        self._store(claims.restore(self.wallet, self._on(REFUND), amount_nano=100, now_us=AT))
        self._store(claims.freeze(self.wallet, self._on(WON), wanted_nano=200, now_us=AT))
        self._store(claims.release(self.wallet, self._on(WON), now_us=AT))
        granted = lending.grant_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=LEASE,
            owner=Owner(KEY, 1),
            mode="bulk",
            amount_nano=600,
            now_us=AT,
        )
        self._store(granted)
        self._open(600, self.wallet.lent(granted[0].slices))
        self._store(claims.freeze(self.wallet, self._on(LOST), wanted_nano=500, now_us=AT))
        self._shrink(20, now_us=AT)
        self._store(claims.take(self.wallet, self._on(LOST), amount_nano=500, now_us=AT))
        self._store(claims.take(self.wallet, self._on(EXTERNAL), amount_nano=300, now_us=AT))
        self._store(
            credit.grant_credit(
                self.wallet,
                account_id=ACCOUNT,
                lot_id=PROMO,
                amount_nano=150,
                source="paid",
                reason="x",
                granted_by="x",
                now_us=AT,
            )
        )
        self._write_off(50)
        self._end(now_us=AT)

    def _on(self, claim_id: UUID) -> Claimed:
        return Claimed(account_id=ACCOUNT, lot_id=PLAIN, claim_id=claim_id)

    def _store(self, events: Sequence[WalletEvent]) -> None:
        self._on_wallet(list(events))

    def _write_off(self, amount_nano: int) -> None:
        asked = AdjustmentRequested(
            adjustment_id=WRITTEN,
            account_id=ACCOUNT,
            kind="write_off",
            amount_nano=amount_nano,
            reason="x",
            waits=True,
            occurred_us=AT,
            actor=FIRST.label,
        )
        at = Stamp(now_us=AT, actor=SECOND.label)
        agreed = approve(evolve(Adjustment(), asked), adjustment_id=WRITTEN, by=SECOND, stamp=at)
        self.story += [(adjustment_stream(WRITTEN), fact) for fact in (asked, *agreed)]
        self._store(adjusting.post(self.wallet, asked, approved_by=SECOND.label, now_us=AT))


def _lend_to_who_owes(story: list[Any]) -> None:
    """The same lease's lending, told again where the account owes."""
    kinds = [type(event) for _, event in story]
    stream_id, granted = story[kinds.index(LeaseGranted)]
    at = len(kinds) - 1 - kinds[::-1].index(FrozenCreditTaken)
    story.insert(at + 1, (stream_id, type(granted)(**_fields(granted) | {"lease_id": UUID(int=999)})))


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


FAULTS: dict[str, tuple[str, Any]] = {
    "more is frozen than there is": ("P02", replaced(CreditFrozen, 0, amount_nano=2_000, wanted_nano=2_000)),
    "more is frozen than is wanted": ("P32", replaced(CreditFrozen, 1, wanted_nano=199)),
    "more is let go than was frozen": ("P32", replaced(CreditUnfrozen, 0, amount_nano=201)),
    "a claim lets go of a part": ("P32", replaced(CreditUnfrozen, 0, amount_nano=199)),
    "a claim lets go of what it never had": ("P32", replaced(CreditUnfrozen, 0, claim_id=UUID(int=5))),
    "more is taken than was frozen": ("P32", replaced(FrozenCreditTaken, 0, amount_nano=101)),
    "what was spent is not owed": ("P32", replaced(FrozenCreditTaken, 2, owed_nano=299)),
    "more is owed than was wanted": ("P32", replaced(FrozenCreditTaken, 2, owed_nano=301)),
    "it is taken to where it did not come from": ("P30", replaced(FrozenCreditTaken, 0, source="promo")),
    "it is restored from where it did not go": ("P30", replaced(TakenCreditRestored, 0, source="promo")),
    "more is paid than is owed": (
        "P32",
        replaced(ReceivableSettled, 0, amount_nano=900, slices=(Slice(PROMO, 900),)),
    ),
    "a payment does not say of which lots": ("P01", replaced(ReceivableSettled, 0, slices=())),
    "more is given up than is owed": ("P32", replaced(ReceivableWrittenOff, 0, amount_nano=9_000)),
    "a debt is given up by one alone": ("A01", without(AdjustmentApproved)),
    "a debt is given up twice": ("A01", again(ReceivableWrittenOff)),
    "who owes is lent to": ("P32", _lend_to_who_owes),
}


def test_a_lawful_story_is_clean() -> None:
    """The canary."""
    told = GoneBack()
    assert told.wallet.written_off_nano
    assert {type(event) for _, event in told.story} >= {
        CreditFrozen,
        CreditUnfrozen,
        FrozenCreditTaken,
        TakenCreditRestored,
        ReceivableSettled,
        ReceivableWrittenOff,
    }
    assert check(told.story).counts == {}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_is_found(name: str) -> None:
    """By the property that is meant for it."""
    code, fault = FAULTS[name]
    story = GoneBack().story
    fault(story)
    assert code in check(story).counts
