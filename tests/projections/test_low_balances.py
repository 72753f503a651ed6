"""Low balances in the read model `balances`: each crossing once, and an alert for each, whoever looks how often."""

from uuid import UUID

import msgspec
import pytest

from application.balance_alerts.raise_alerts import raise_low_balances
from application.eventlog import NewEvent
from domain.balance_alerts import BalanceLowCrossed, BalanceLowSet, threshold_stream
from domain.event import Event
from projections.balances import Balances
from projections.low_balances import LowBalanceReader
from tests.domain.ledger import facts
from tests.domain.ledger.facts import ACCOUNT, NOW
from tests.fakes import MemoryEventStore
from tests.histories import numbered
from tests.projections.lab import Lab

LEASE, WALLET = UUID(int=10), UUID(int=11)


def threshold(account_id: UUID | None, threshold_nano: int | None) -> BalanceLowSet:
    return BalanceLowSet(
        account_id=account_id, threshold_nano=threshold_nano, occurred_us=NOW, actor="system"
    )


def spent(number: int, nano: int) -> list[Event]:
    request_id = UUID(int=1_000 + number)
    return [
        facts.admitted(request_id, nano),
        facts.charged(request_id, hold_nano=nano, charge_nano=nano),
    ]


def happen(lab: Lab, *events: Event) -> None:
    """In streams that have no other meaning here; read models do not look at them."""
    for event in events:
        stream_id = threshold_stream(event.account_id) if isinstance(event, BalanceLowSet) else WALLET
        lab.log.extend(numbered(stream_id, 1 + len(lab.log.events), [event]))


STORY: tuple[Event, ...] = (
    threshold(None, 50),
    facts.lot(100),
    *spent(1, 50),  # 50 is not below
    *spent(2, 10),  # 40
    *spent(3, 10),  # 30
    facts.lot(60, UUID(int=22)),  # 90
    *spent(4, 60),  # 30, again
    threshold(ACCOUNT, 20),  # above that
    *spent(5, 5),  # 25
    threshold(ACCOUNT, 26),  # at once
    threshold(ACCOUNT, 0),
    *spent(6, 5),
    threshold(ACCOUNT, None),  # the one for all again: below it at once
    *spent(7, 5),
)
CROSSED = [(50, 40), (50, 30), (26, 25), (50, 20)]


@pytest.fixture
def reader(whole: Lab) -> LowBalanceReader:
    return LowBalanceReader(whole.pool)


@pytest.mark.parametrize("batch_events", [1, 3, 100])
def test_every_crossing_is_told_once(whole: Lab, reader: LowBalanceReader, batch_events: int) -> None:
    """Armed again by being at the threshold or above; in any batches the same."""
    happen(whole, *STORY)
    whole.catch_up(batch_events=batch_events)
    store = MemoryEventStore()
    for _ in range(2):
        assert raise_low_balances(reader, store=store) == len(CROSSED)
    raised = [msgspec.json.decode(one.state, type=BalanceLowCrossed) for one in store.log]
    assert [(one.threshold_nano, one.balance_nano) for one in raised] == CROSSED
    whole.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in store.log])
    whole.catch_up()
    assert raise_low_balances(reader, store=store) == 0
    page = reader.low_balances(account_id=ACCOUNT)
    assert [(one.threshold_nano, one.balance_nano) for one in reversed(page.items)] == CROSSED
    first = reader.low_balances(limit=1)
    assert reader.low_balances(before_position=first.next_before, limit=1).items == page.items[1:2]
    assert reader.low_balances(account_id=UUID(int=99)).items == ()
    assert whole.rebuild(Balances.name) == whole.hashes()[Balances.name]


def test_an_account_that_never_had_credit_is_not_told_of(whole: Lab, reader: LowBalanceReader) -> None:
    """Neither when a threshold is set, nor by its first credit, which takes it up."""
    happen(whole, threshold(ACCOUNT, 50), threshold(ACCOUNT, 60), facts.lot(10), *spent(1, 5))
    whole.catch_up()
    assert reader.not_told(limit=10) == []


def test_events_that_come_again_cross_nothing(whole: Lab, reader: LowBalanceReader) -> None:
    """P11: from an older checkpoint the rows come out the same."""
    happen(whole, *STORY)
    whole.catch_up()
    before = whole.hashes()[Balances.name]
    whole.rewind(0)
    whole.catch_up(batch_events=2)
    assert whole.hashes()[Balances.name] == before
