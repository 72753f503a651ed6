"""The read models of charges of the past: the queue of those held for review, and late usage in the period in which it was told."""

from uuid import UUID

import pytest

from application.eventlog import NewEvent
from application.reports.period import Period
from application.reports.reviews import ReviewFilter, ReviewRow
from application.reports.usage import UsageFilter
from projections.charge_reviews import ChargeReviews, ReviewReader
from projections.request_log import RequestReader
from projections.statement_reader import StatementReader
from projections.usage_reader import UsageReader
from tests.application.charges.charge_world import ABSURD, ADA, FIRST, PLAIN, ChargeWorld
from tests.projections.lab import Lab

ALWAYS = Period(from_us=0, until_us=2**62)


def follow(lab: Lab, world: ChargeWorld) -> None:
    """The lab's log goes on with what is new in the world's."""
    recorded = world.ports.store.read_log(after_position=0, limit=1_000)
    new = recorded[len(lab.log.events) :]
    lab.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in new])
    lab.catch_up(batch_events=3)


def rows(reader: ReviewReader, **wanted: object) -> tuple[ReviewRow, ...]:
    return reader.reviews(ReviewFilter(**wanted), now_us=0).items  # type: ignore[arg-type]  # fields of the filter


@pytest.mark.parametrize(("right_nano", "state"), [(None, "upheld"), (10, "corrected")])
def test_a_held_charge_waits_until_it_is_decided(whole: Lab, right_nano: int | None, state: str) -> None:
    """With its age; then it says by whom and how, and the request says so too."""
    world, reader, requests = ChargeWorld(), ReviewReader(whole.pool), RequestReader(whole.pool)
    follow(whole, world)
    (held,) = rows(reader, state="waiting")
    assert (held.request_id, held.charge_nano, held.reasons) == (ABSURD, 60, ("absurd", "clamped"))
    queue = reader.reviews(ReviewFilter(), now_us=held.held_us + 2_000_000).queue
    assert (queue.waiting, queue.oldest_s) == (1, 2.0)
    detail = requests.request(ABSURD)
    assert detail is not None
    assert detail.review == "waiting"
    world.review(ABSURD, right_nano)
    follow(whole, world)
    assert rows(reader, state="waiting") == ()
    (decided,) = rows(reader, request_id=ABSURD, account_id=world.account_id)
    assert (decided.state, decided.decided_by) == (state, FIRST.label)
    assert decided.right_nano == (60 if right_nano is None else right_nano)
    assert (decided.adjustment_id is None) == (right_nano is None)
    assert reader.reviews(ReviewFilter(), now_us=0).queue.waiting == 0
    assert whole.rebuild(ChargeReviews.name) == whole.hashes()[ChargeReviews.name]
    plain = requests.request(PLAIN)
    assert plain is not None
    assert plain.review is None


def test_pages_follow_each_other(whole: Lab) -> None:
    """Oldest first; the last page says that it is."""
    reader = ReviewReader(whole.pool)
    follow(whole, ChargeWorld())
    page = reader.reviews(ReviewFilter(), now_us=0, limit=1)
    assert page.next_after is None
    assert reader.reviews(ReviewFilter(), now_us=0, after_position=page.items[0].position).items == ()
    assert rows(reader, account_id=UUID(int=77)) == ()


def test_late_usage_counts_where_it_was_told(whole: Lab) -> None:
    """As a difference, apart from charges: so charges of usage and of the statement still agree."""
    world, usage = ChargeWorld(), UsageReader(whole.pool)
    wanted = UsageFilter(period=ALWAYS, account_id=world.account_id)
    follow(whole, world)
    (before,) = usage.usage(wanted, by=()).items
    world.told(PLAIN, 50)
    world.told(PLAIN, 5, report_ref="r-2")
    follow(whole, world)
    (after,) = usage.usage(wanted, by=()).items
    assert (after.requests, after.charged, after.charge_nano) == (
        before.requests,
        before.charged,
        before.charge_nano,
    )
    assert (after.late_reports, after.late_nano, after.shortfall_nano) == (2, -12, 0)
    assert after.output_tokens - before.output_tokens == 5 - 10
    assert after.input_tokens - before.input_tokens == -2
    (earned,) = usage.earnings(wanted, by=("provider", "model")).items
    assert (earned.charge_nano, earned.late_nano, earned.margin_nano) == (82, -12, 70)
    statement = StatementReader(whole.pool).statement(world.account_id, ALWAYS)
    assert statement.totals_nano == {"grant": 400, "charge": -82, "adjustment": 12}
    assert whole.rebuild("usage") == whole.hashes()["usage"]


def test_a_disputed_charge_waits_beside_those_that_were_held(whole: Lab) -> None:
    """With its cause; disputed again it waits again, in the same row."""
    world, reader = ChargeWorld(), ReviewReader(whole.pool)
    world.dispute(PLAIN, "no-answer")
    follow(whole, world)
    disputed, held = rows(reader, request_id=PLAIN)[0], rows(reader, request_id=ABSURD)[0]
    assert (disputed.state, disputed.cause, disputed.disputed_by) == ("waiting", "no-answer", ADA.label)
    assert (disputed.charge_nano, disputed.held_us, disputed.reasons) == (22, disputed.disputed_us, ())
    assert (held.cause, rows(reader, cause="no-answer")) == (None, (disputed,))
    world.review(PLAIN, 4)
    follow(whole, world)
    (decided,) = rows(reader, request_id=PLAIN)
    assert (decided.state, decided.cause, decided.right_nano) == ("corrected", "no-answer", 4)
    world.dispute(PLAIN, "not-ours")
    world.dispute(ABSURD)
    follow(whole, world)
    (again,) = rows(reader, request_id=PLAIN)
    assert (again.state, again.cause, again.charge_nano, again.right_nano) == (
        "waiting",
        "not-ours",
        4,
        None,
    )
    (joined,) = rows(reader, request_id=ABSURD)
    assert (joined.state, joined.reasons, joined.held_us) == ("waiting", held.reasons, held.held_us)
    assert reader.queue(now_us=0).waiting == 2
    assert whole.rebuild(ChargeReviews.name) == whole.hashes()[ChargeReviews.name]
