"""`ledger verify` finds what breaks the rules of adjustments, and only that."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.adjustments.posting import adjustment_stream
from application.verify import render_text
from domain.fact import Actor, Stamp
from domain.ledger import adjusting, lending
from domain.ledger.adjustments import (
    Adjustment,
    AdjustmentApproved,
    AdjustmentKind,
    AdjustmentRequested,
    approve,
    evolve,
)
from domain.ledger.credit import LotConditions
from domain.ledger.events import AdjustmentPosted, CreditLotVoided, LeaseReduced, LeaseSettled, Owner
from domain.ledger.lots import Slice, VoidedSlice
from tests.application.verify.test_lots import (
    ACCOUNT,
    AT,
    END,
    KEY,
    LEASE,
    PLAIN,
    PROMO,
    SCOPED,
    WALLET,
    Story,
    Told,
    check,
    edit,
)

FIRST, SECOND = Actor("operator", UUID(int=71)), Actor("operator", UUID(int=72))
SMALL, LARGE, VOID = UUID(int=61), UUID(int=62), UUID(int=63)


class Adjusted(Told):
    """A lawful story: goodwill, a debit that two agreed to, and a lot taken back while a lease has some of it."""

    def _tell(self) -> None:
        self._grant(PLAIN, 1_000, LotConditions())
        self._grant(PROMO, 100, LotConditions(priority=10))
        self._adjust(SMALL, "credit", 30)
        (granted,) = lending.grant_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=LEASE,
            owner=Owner(KEY, 1),
            mode="bulk",
            amount_nano=90,
            now_us=AT,
        )
        self._on_wallet([granted])
        self._adjust(VOID, "void", 100, lot_id=PROMO)
        self._adjust(LARGE, "debit", 500, waits=True)
        self._open(granted.amount_nano, self.wallet.lent(granted.slices))
        self._shrink(20, now_us=AT)
        self._end(now_us=AT)

    def _adjust(self, adjustment_id: UUID, kind: AdjustmentKind, amount_nano: int, **more: Any) -> None:
        asked = AdjustmentRequested(
            adjustment_id=adjustment_id,
            account_id=ACCOUNT,
            kind=kind,
            amount_nano=amount_nano,
            reason="x",
            waits=more.pop("waits", False),
            occurred_us=AT,
            actor=FIRST.label,
            **more,
        )
        stream_id = adjustment_stream(adjustment_id)
        self.story.append((stream_id, asked))
        by = None
        if asked.waits:
            at = Stamp(now_us=AT, actor=SECOND.label)
            (agreed,) = approve(evolve(Adjustment(), asked), adjustment_id=adjustment_id, by=SECOND, stamp=at)
            self.story.append((stream_id, agreed))
            by = SECOND.label
        self._on_wallet(adjusting.post(self.wallet, asked, approved_by=by, now_us=AT))


def replaced(kind: type[Any], at: int = 0, **changes: Any) -> Any:
    return edit(kind, at, **changes)


def without(kind: type[Any], at: int = 0) -> Any:
    def fault(story: Story) -> None:
        del story[[number for number, (_, event) in enumerate(story) if isinstance(event, kind)][at]]

    return fault


def again(kind: type[Any], at: int = 0, **changes: Any) -> Any:
    def fault(story: Story) -> None:
        index = [number for number, (_, event) in enumerate(story) if isinstance(event, kind)][at]
        stream_id, event = story[index]
        story.insert(index + 1, (stream_id, msgspec.structs.replace(event, **changes)))

    return fault


FAULTS: dict[str, tuple[str, Any]] = {
    "posted without having been asked for": ("A01", without(AdjustmentRequested)),
    "posted without the second operator": ("A01", without(AdjustmentApproved)),
    "agreed to by who asked": ("A01", replaced(AdjustmentApproved, actor=FIRST.label)),
    "agreed to by nobody": ("A01", replaced(AdjustmentApproved, actor="system")),
    "agreed to twice": ("A01", again(AdjustmentApproved)),
    "agreed to what does not wait": ("A01", replaced(AdjustmentRequested, 2, waits=False)),
    "asked for twice": ("A01", again(AdjustmentRequested)),
    "of another amount than was asked for": ("A01", replaced(AdjustmentRequested, 2, amount_nano=499)),
    "posted twice": ("A01", again(AdjustmentPosted, added=(Slice(UUID(int=64), 30),))),
    "taken back twice": ("P15", again(CreditLotVoided, amount_nano=0)),
    "never posted": ("A01", without(AdjustmentPosted, 0)),
    "said to be from somebody else": ("A01", replaced(AdjustmentPosted, requested_by="operator:9")),
    "a lot that was not asked to be taken back": ("A01", replaced(AdjustmentRequested, 1, lot_id=PLAIN)),
    "a credit without a lot": ("P01", replaced(AdjustmentPosted, 0, added=msgspec.UNSET)),
    "a debit of other lots than make it up": (
        "P01",
        replaced(AdjustmentPosted, 1, taken=(Slice(PLAIN, 499),)),
    ),
    "a debit of more than a lot has": ("P02", replaced(AdjustmentPosted, 1, taken=(Slice(PROMO, 500),))),
    "a debit of a lot that is none": ("P02", replaced(AdjustmentPosted, 1, taken=(Slice(SCOPED, 500),))),
    "a lot that is taken back in part": ("P04", replaced(CreditLotVoided, amount_nano=9)),
    "a lot that goes back where it did not come from": ("P30", replaced(CreditLotVoided, source="promo")),
    "what comes back of a lot taken back lives on": (
        "P15",
        replaced(LeaseReduced, slices=(Slice(PROMO, 20),), voided=msgspec.UNSET),
    ),
    "what comes back of a lot taken back is breakage": (
        "P15",
        replaced(LeaseReduced, expired=(Slice(PROMO, 20),), voided=msgspec.UNSET),
    ),
    "what comes back of a lot goes back where it did not come from": (
        "P15",
        replaced(LeaseReduced, voided=(VoidedSlice(PROMO, 20, "promo"),)),
    ),
    "a settlement that forgets a lot taken back": ("P05", replaced(LeaseSettled, voided=msgspec.UNSET)),
}


def test_the_story_without_a_fault_is_clean() -> None:
    """These books have no price list."""
    report = check(Adjusted().story)
    assert set(report.counts) <= {"P12"}, render_text(report)
    assert (report.figures.granted_nano, report.figures.taken_nano) == (1_130, 600)
    assert (report.figures.expired_nano, report.figures.charged_nano) == (0, 0)
    assert END > AT
    assert WALLET in {stream_id for stream_id, _ in Adjusted().story}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(name: str) -> None:
    """Under the invariant that it breaks."""
    code, fault = FAULTS[name]
    story = Adjusted().story
    fault(story)
    assert code in check(story).counts
