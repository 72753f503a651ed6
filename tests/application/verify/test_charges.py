"""`ledger verify` finds what breaks the rules of reviews and of late usage, and only that."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.verify import render_text
from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.charges import ChargeDisputed, ChargeReviewed, UsageReportedLate, UsageReportTaken
from domain.ledger.events import AdjustmentPosted, ChargeHeldForReview, Units
from tests.application.charges.charge_world import ABSURD, PLAIN, RELEASED, ChargeWorld
from tests.application.verify.test_adjustments import again, replaced, without
from tests.application.verify.test_lots import Story, check

_APART = 3  #: positions of a log in a list


def told() -> Story:
    """A charge of 22 that is reported late twice, a released request that is, a held charge that is corrected, and both disputed."""
    world = ChargeWorld()
    world.end_lease()
    world.told(PLAIN, 50)
    world.told(PLAIN, 20, report_ref="r-2")
    world.told(RELEASED, 11, report_ref="r-3")
    world.review(ABSURD, 10)
    world.dispute(PLAIN, remark="twenty words")
    world.review(PLAIN, 35)
    world.dispute(ABSURD)
    world.review(ABSURD)
    recorded = world.ports.store.read_log(after_position=0, limit=1_000)
    places = {one.position: 1 + _APART * index for index, one in enumerate(recorded)}
    return [
        (one.stream_id, _moved(event, places)) for one, event in zip(recorded, world.events(), strict=True)
    ]


def _moved(event: Any, places: dict[int, int]) -> Any:
    if not isinstance(event, ChargeReviewed | UsageReportedLate | ChargeDisputed):
        return event
    return msgspec.structs.replace(event, ended_position=places[event.ended_position])


def elsewhere(kind: type[Any]) -> Any:
    def fault(story: Story) -> None:
        at = next(number for number, (_, event) in enumerate(story) if isinstance(event, kind))
        story[at] = (UUID(int=77), story[at][1])

    return fault


FAULTS: dict[str, tuple[str, Any]] = {
    "holds another charge than the one before it": ("C02", replaced(ChargeHeldForReview, charge_nano=59)),
    "reviews what was not held": ("C02", without(ChargeHeldForReview)),
    "is reviewed twice": ("C02", again(ChargeReviewed)),
    "is corrected from what was not paid": ("C02", replaced(ChargeReviewed, charge_nano=59)),
    "is corrected beyond the hold": ("C02", replaced(ChargeReviewed, right_nano=61)),
    "is upheld, and another amount": ("C02", replaced(ChargeReviewed, outcome="upheld")),
    "is disputed twice": ("C02", again(ChargeDisputed)),
    "is disputed from what was not paid": ("C02", replaced(ChargeDisputed, charge_nano=39)),
    "is disputed in another stream": ("L03", elsewhere(ChargeDisputed)),
    "is disputed too late": ("C02", replaced(ChargeDisputed, occurred_us=2**62)),
    "reviews what was not disputed": ("C02", without(ChargeDisputed)),
    "is reviewed again though not disputed again": ("C02", without(ChargeDisputed, 1)),
    "costs more for having been disputed": ("C02", replaced(ChargeReviewed, 1, right_nano=45)),
    "tells of another hold": ("C02", replaced(ChargeReviewed, hold_nano=61)),
    "is corrected to another amount than is given back": ("C02", replaced(ChargeReviewed, right_nano=11)),
    "is corrected without an adjustment": ("C02", replaced(ChargeReviewed, adjustment_id=msgspec.UNSET)),
    "is reviewed in another stream": ("L03", elsewhere(ChargeReviewed)),
    "is rated wrongly": ("P12", replaced(UsageReportedLate, 1, units=Units(output=21))),
    "charges more than it costs": ("C02", replaced(UsageReportedLate, 1, charge_nano=41)),
    "bears less than is not charged": ("C02", replaced(UsageReportedLate, 1, shortfall_back_nano=39)),
    "begins with another usage": ("C02", replaced(UsageReportedLate, 1, units_before=Units(output=1))),
    "begins with what was not paid": ("C02", replaced(UsageReportedLate, charge_before_nano=21)),
    "is of a request that does not end there": ("C02", replaced(UsageReportedLate, ended_position=1)),
    "is told in another stream": ("L03", elsewhere(UsageReportedLate)),
    "is told of by no report": ("C02", without(UsageReportTaken)),
    "takes a report twice": ("C02", again(UsageReportTaken)),
    "takes a report for another request": ("C02", replaced(UsageReportTaken, request_id=ABSURD)),
    "asks for no adjustment": ("C02", without(AdjustmentRequested)),
    "asks for another amount": ("C02", replaced(AdjustmentRequested, amount_nano=1)),
    "asks about another request": ("C02", replaced(AdjustmentRequested, ref=ABSURD)),
    "posts another amount": ("A01", replaced(AdjustmentPosted, 1, amount_nano=1)),
}


def test_a_lawful_story_is_clean() -> None:
    """Late usage up and down, corrections, and disputes."""
    report = check(told())
    assert report.ok, render_text(report)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str) -> None:
    """Each under its name."""
    code, fault = FAULTS[name]
    story = told()
    fault(story)
    assert code in check(story).counts
