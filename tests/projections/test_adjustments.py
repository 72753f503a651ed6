"""The read model `adjustments`: what waits, and what became of the others."""

from uuid import UUID

import pytest

from application.reports.adjustments import AdjustmentFilter, AdjustmentRow
from domain.event import Event
from domain.ids import stream_of
from domain.ledger.adjustments import AdjustmentApproved, AdjustmentDenied, AdjustmentRequested
from projections.adjustments import AdjustmentReader, Adjustments
from tests.histories import history, numbered
from tests.projections.facts import ACCOUNT, OTHER
from tests.projections.lab import Lab

ADA, EVE = "operator:ad", "operator:e"
SMALL, WAITS, NO, YES = (UUID(int=number) for number in range(61, 65))
ABOUT = UUID(int=70)


def asked(
    number: UUID, *, waits: bool = True, account_id: UUID = ACCOUNT, **more: UUID
) -> AdjustmentRequested:
    return AdjustmentRequested(
        adjustment_id=number,
        account_id=account_id,
        kind="debit",
        amount_nano=9,
        reason="nul\x00 in it",
        waits=waits,
        occurred_us=3,
        actor=ADA,
        **more,
    )


def _happen(lab: Lab, *events: Event) -> None:
    versions: dict[UUID, int] = {}
    for event in events:
        stream_id = stream_of(event.adjustment_id, "adjustment")  # type: ignore[attr-defined]  # all have one
        versions[stream_id] = versions.get(stream_id, 0) + 1
        lab.log.extend(numbered(stream_id, versions[stream_id], [event]))


STORY = (
    asked(SMALL, waits=False),
    asked(WAITS, account_id=OTHER),
    asked(NO),
    asked(YES, ref=ABOUT),
    AdjustmentDenied(adjustment_id=NO, reason="not ours", occurred_us=8, actor=EVE),
    AdjustmentApproved(adjustment_id=YES, occurred_us=9, actor=EVE),
)


@pytest.fixture
def reader(whole: Lab) -> AdjustmentReader:
    return AdjustmentReader(whole.pool)


@pytest.mark.parametrize("batch_events", [1, 100])
def test_what_waits_is_told_apart_from_what_is_decided(
    whole: Lab, reader: AdjustmentReader, batch_events: int
) -> None:
    """Newest first, in one batch or in many; who decided what and when stands beside who asked."""
    _happen(whole, *STORY)
    whole.catch_up(batch_events=batch_events)
    rows = reader.adjustments(AdjustmentFilter()).items
    assert [(row.adjustment_id, row.state, row.decided_by, row.denied_because) for row in rows] == [
        (YES, "posted", EVE, None),
        (NO, "denied", EVE, "not ours"),
        (WAITS, "waiting", None, None),
        (SMALL, "posted", None, None),
    ]
    assert rows[0] == AdjustmentRow(
        adjustment_id=YES,
        account_id=ACCOUNT,
        kind="debit",
        amount_nano=9,
        reason="nul\ufffd in it",
        ref=ABOUT,
        lot_id=None,
        state="posted",
        requested_by=ADA,
        requested_us=3,
        decided_by=EVE,
        decided_us=9,
        denied_because=None,
        position=whole.log.events[3].position,
    )


def test_a_list_is_of_what_was_asked_for(whole: Lab, reader: AdjustmentReader) -> None:
    """By state, account and what they are about, page by page."""
    _happen(whole, *STORY)
    whole.catch_up()

    def listed(**wanted: object) -> list[UUID]:
        found = reader.adjustments(AdjustmentFilter(**wanted))  # type: ignore[arg-type]  # its own fields
        return [row.adjustment_id for row in found.items]

    assert listed(state="waiting") == [WAITS]
    assert listed(account_id=ACCOUNT) == [YES, NO, SMALL]
    assert listed(ref=ABOUT) == [YES]
    first = reader.adjustments(AdjustmentFilter(), limit=3)
    assert first.next_before is not None
    rest = reader.adjustments(AdjustmentFilter(), before_position=first.next_before)
    assert ([row.adjustment_id for row in rest.items], rest.next_before) == ([SMALL], None)


def test_a_rebuild_is_equal(whole: Lab) -> None:
    """However it came, and if it comes twice."""
    whole.start_over(history(3, steps=1000))
    whole.catch_up(batch_events=23)
    before = whole.hashes()[Adjustments.name]
    assert before.rows > 3
    whole.rewind(0)
    whole.catch_up(batch_events=31)
    assert whole.hashes()[Adjustments.name] == before
    assert whole.rebuild(Adjustments.name) == before
