"""The read model `budgets`: what is spent and held in a window, and each alert once, whatever comes again."""

from uuid import UUID

import msgspec
import pytest

from application.budgets.raise_alerts import raise_alerts
from application.eventlog import NewEvent
from domain.budgets.events import BudgetAlertRaised, BudgetRemoved, BudgetSet
from domain.budgets.window import HOUR_US, BudgetWindow
from domain.event import Event
from domain.ledger.events import RequestAdmitted
from domain.ledger.shares import BudgetBucket
from projections.budget_reader import BudgetReader
from projections.budgets import Budgets
from projections.projection import Pool
from tests.domain.budgets.budget_facts import BUCKET, BUDGET, DAY, budget_set
from tests.domain.ledger import facts
from tests.domain.ledger.facts import ACCOUNT, KEY, NOW
from tests.fakes import MemoryEventStore
from tests.histories import numbered
from tests.projections.lab import Lab

LEASE = UUID(int=10)
ROLLING = BudgetWindow(kind="rolling", hours=2)


def request(number: int, hold_nano: int, charge_nano: int | None, *, bucket: int = BUCKET) -> list[Event]:
    """Admitted, and charged if a charge is given."""
    request_id = UUID(int=1_000 + number)
    admitted = facts.admitted(request_id, hold_nano, budgets=(BudgetBucket(BUDGET, bucket),))
    if charge_nano is None:
        return [admitted]
    return [admitted, facts.charged(request_id, hold_nano=hold_nano, charge_nano=charge_nano)]


def story(window: BudgetWindow = DAY) -> list[NewEvent]:
    """A budget of 100 that is spent up to 90, with 30 held; one request counts in the bucket before."""
    set_ = budget_set(window=window, alert_percents=(50, 80, 100))
    before = BUCKET - (HOUR_US if window.kind == "rolling" else 24 * HOUR_US)
    requests = [
        *request(1, 40, 20, bucket=before),
        *request(2, 60, 45),
        *request(3, 60, 45),
        *request(4, 30, None),
    ]
    return [*numbered(BUDGET, 1, [set_]), *numbered(LEASE, 1, requests)]


@pytest.fixture
def reader(whole: Lab) -> BudgetReader:
    return BudgetReader(whole.pool)


def test_a_budget_shows_what_is_spent_held_and_left(whole: Lab, reader: BudgetReader) -> None:
    """Of its present window; what counts in another day does not."""
    whole.log.extend(story())
    whole.catch_up()
    (use,) = reader.budgets(now_us=NOW).items
    assert (use.spent_nano, use.held_nano, use.left_nano, use.requests) == (90, 30, -20, 3)
    assert (use.from_us, use.until_us) == (BUCKET, BUCKET + 24 * HOUR_US)
    (use,) = reader.budgets(now_us=NOW + 24 * HOUR_US, key_id=KEY).items
    assert (use.spent_nano, use.left_nano) == (0, 100)
    assert reader.budgets(now_us=NOW, account_id=UUID(int=99)).items == ()


def test_a_rolling_window_adds_up_its_hours(whole: Lab, reader: BudgetReader) -> None:
    """The hour before counts too, and then no more."""
    whole.log.extend(story(ROLLING))
    whole.catch_up()
    spent = [reader.budgets(now_us=BUCKET + hour * HOUR_US).items[0].spent_nano for hour in (-1, 0, 1, 2)]
    assert spent == [20, 110, 90, 0]


@pytest.mark.parametrize(
    ("window", "crossed"),
    [(DAY, [(50, 90), (80, 90)]), (ROLLING, [(50, 65), (80, 110), (100, 110)])],
)
def test_every_alert_is_raised_once(
    whole: Lab, reader: BudgetReader, window: BudgetWindow, crossed: list[tuple[int, int]]
) -> None:
    """However often it is looked for, by however many, and before the read model knows of it."""
    whole.log.extend(story(window))
    whole.catch_up()
    store = MemoryEventStore()
    for _ in range(2):
        assert raise_alerts(reader, store=store) == len(crossed)
    raised = [msgspec.json.decode(one.state, type=BudgetAlertRaised) for one in store.log]
    assert [(one.percent, one.spent_nano) for one in raised] == crossed
    whole.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in store.log])
    whole.catch_up()
    assert raise_alerts(reader, store=store) == 0
    alerts = reader.alerts(account_id=ACCOUNT)
    assert [one.percent for one in reversed(alerts.items)] == [percent for percent, _ in crossed]
    assert reader.alerts(account_id=UUID(int=99)).items == ()
    page = reader.alerts(limit=1)
    assert reader.alerts(before_position=page.next_before, limit=1).items == alerts.items[1:2]


def test_a_raised_budget_may_be_crossed_again(whole: Lab, reader: BudgetReader) -> None:
    """Another amount is another line to cross; one that is lowered below what is spent is crossed at once."""
    whole.log.extend([*story(), *numbered(BUDGET, 2, [budget_set(1_000), budget_set(90)])])
    whole.catch_up()
    crossed = {(one.amount_nano, one.percent) for one in reader.not_told(limit=10)}
    assert crossed == {(100, 50), (100, 80), (90, 80), (90, 100)}


def test_a_budget_that_was_removed_is_told_of_no_more(whole: Lab, reader: BudgetReader) -> None:
    """What is spent after that crosses nothing."""
    removed = BudgetRemoved(
        budget_id=BUDGET, account_id=ACCOUNT, key_id=KEY, reason="over", occurred_us=NOW, actor="system"
    )
    whole.log.extend(
        [*numbered(BUDGET, 1, [budget_set(), removed]), *numbered(LEASE, 1, request(1, 100, 100))]
    )
    whole.catch_up()
    assert reader.budgets(now_us=NOW).items == ()
    assert reader.not_told(limit=10) == []


def test_before_the_read_model_is_made_nothing_is_due(pool: Pool) -> None:
    """A scheduler may be there before the first worker of its version."""
    assert BudgetReader(pool).not_told(limit=10) == []


@pytest.mark.parametrize("window", [DAY, ROLLING], ids=["day", "rolling"])
@pytest.mark.parametrize("batch_events", [1, 2, 3, 100])
def test_a_rebuild_is_equal(whole: Lab, window: BudgetWindow, batch_events: int) -> None:
    """In whatever batches requests were admitted and ended, and if they come twice."""
    whole.log.extend(story(window))
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[Budgets.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[Budgets.name] == before
    assert whole.rebuild(Budgets.name) == before


def test_the_story_has_what_is_talked_about() -> None:
    """A story without budgets would prove nothing."""
    assert {BudgetSet.TOPIC, RequestAdmitted.TOPIC} <= {one.topic for one in story()}
