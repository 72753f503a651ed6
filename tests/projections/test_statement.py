"""The read model `statement`: from one balance to the next, and what each line is made of."""

from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.queries import RequestFilter
from application.reports.period import DAY_US, SLOT_US, Period
from application.reports.statement import StatementLine
from domain.ledger.events import UsageCharged
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.refusal import BadField
from domain.topics import REGISTRY
from projections.balances import BalanceReader
from projections.request_log import RequestReader
from projections.statement_reader import StatementReader
from tests.histories import START_US, history, numbered
from tests.projections.facts import ACCOUNT, FIRST, KEY, LEASE, OTHER, SECOND, THIRD, WALLET, charged, granted
from tests.projections.lab import Lab

# The connection pool's threads may draw a random number while an example is made.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
ALWAYS = Period(from_us=0, until_us=2**62 // SLOT_US * SLOT_US)
FIRST_DAY_US = START_US - START_US % DAY_US


@pytest.fixture
def reader(whole: Lab) -> StatementReader:
    return StatementReader(whole.pool)


def _balance_nano(lab: Lab, account_id: UUID, *, before_us: int) -> int:
    """P20: the fold of what was recorded before a time."""
    rules, own = load_rules(), tuple(f"{kind}:{account_id}:" for kind in ("wallet", "leased", "frozen"))
    trial = TrialBalance(rules)
    for one in lab.log.events:
        if one.recorded_at_us < before_us and one.topic in rules.rules:
            for posting in postings(rules, REGISTRY.decode(one.topic, one.state), stream_id=one.stream_id):
                trial.post(posting)
    return sum(balance for name, balance in trial.balances.items() if name.startswith(own))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 4 * 96), min_size=2, max_size=5, unique=True).map(sorted),
    batch=st.integers(1, 80),
)
def test_the_closing_of_a_period_is_the_opening_of_the_next(
    whole: Lab, seed: int, cuts: list[int], batch: int
) -> None:
    """P20, for any cuts at quarter hours: opening and lines make the closing, which the events make too."""
    reader = StatementReader(whole.pool)
    whole.start_over(history(seed, steps=150, accounts=2))
    whole.catch_up(batch_events=batch)
    times_us = [0, *(FIRST_DAY_US + cut * SLOT_US for cut in cuts), ALWAYS.until_us]
    for balance in BalanceReader(whole.pool).balances():
        closing_nano = 0
        for from_us, until_us in pairwise(times_us):
            period = Period(from_us=from_us, until_us=until_us)
            found = reader.statement(balance.account_id, period, limit=500)
            assert found.opening_nano == closing_nano
            closing_nano = found.closing_nano
            assert closing_nano == _balance_nano(whole, balance.account_id, before_us=until_us)
            assert closing_nano == found.opening_nano + sum(found.totals_nano.values())
            assert closing_nano == found.opening_nano + sum(line.amount_nano for line in found.lines)
        assert closing_nano == balance.posted_nano


def test_charges_of_a_day_key_model_and_price_are_one_line(whole: Lab, reader: StatementReader) -> None:
    """And a grant is a line of its own, with its lot, its reason and the other side in the books."""
    dearer = msgspec.structs.replace(charged(THIRD, 10, 2), price_version=2)
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.log.extend(numbered(LEASE, 2, [charged(FIRST, 10, 4), charged(SECOND, 10, 3), dearer]))
    whole.catch_up()
    found = reader.statement(ACCOUNT, ALWAYS)
    grant, charges, dear = found.lines
    assert (grant.kind, grant.amount_nano, grant.lot_id, grant.reason, grant.counter_account) == (
        "grant",
        100,
        UUID(int=1),
        "test",
        "issued:paid",
    )
    assert (charges.kind, charges.amount_nano, charges.charges, charges.key_id, charges.alias) == (
        "charge",
        -7,
        2,
        KEY,
        "demo",
    )
    assert charges.units is not None
    assert (charges.units.input_tokens, charges.first_position, charges.last_position) == (6, 4, 7)
    assert (dear.price_version, dear.amount_nano) == (2, -2)
    assert (found.closing_nano, found.totals_nano) == (91, {"charge": -9, "grant": 100})


def test_a_line_is_explained_by_the_requests_that_it_names(whole: Lab, reader: StatementReader) -> None:
    """Account, key, alias, price version and positions find exactly the charges that make the figure."""
    log = RequestReader(whole.pool)
    events = [charged(UUID(int=100 + number), 10, number % 7) for number in range(300)]
    whole.log.extend(numbered(LEASE, 2, events))
    whole.catch_up(batch_events=29)
    lines = reader.statement(ACCOUNT, ALWAYS, zone="Asia/Kathmandu").lines
    assert len(lines) > 3
    for line in lines:
        wanted = RequestFilter(
            account_id=ACCOUNT,
            key_id=line.key_id,
            alias=line.alias,
            price_version=line.price_version,
            last_position_from=line.first_position,
            last_position_to=line.last_position,
        )
        rows = log.requests(wanted, limit=500).requests
        assert len(rows) == line.charges
        assert -sum(row.charge_nano for row in rows) == line.amount_nano


def test_pages_give_every_line_once(whole: Lab, reader: StatementReader) -> None:
    """Charges and other changes together, in the order of the log."""
    whole.start_over(history(4, steps=300, accounts=1))
    whole.catch_up()
    (balance,) = BalanceReader(whole.pool).balances()
    seen: list[StatementLine] = []
    page = reader.statement(balance.account_id, ALWAYS, limit=3)
    while page.next_after:
        seen += page.lines
        page = reader.statement(balance.account_id, ALWAYS, after=page.next_after, limit=3)
    seen += page.lines
    assert tuple(seen) == reader.statement(balance.account_id, ALWAYS, limit=500).lines
    assert [line.first_position for line in seen] == sorted({line.first_position for line in seen})


def test_a_period_that_is_over_never_changes(whole: Lab, reader: StatementReader) -> None:
    """What comes later is in a later period, although it happened before, and the database's clock went back."""
    whole.log.extend(numbered(WALLET, 1, [granted(100)]))
    whole.log.extend(numbered(LEASE, 2, [charged(UUID(int=100 + number), 10, 1) for number in range(150)]))
    whole.catch_up()
    head_us = whole.log.events[-1].recorded_at_us
    over = Period(from_us=0, until_us=head_us - head_us % SLOT_US)
    before = reader.statement(ACCOUNT, over)
    late = numbered(LEASE, 152, [charged(FIRST, 10, 5)])
    whole.log.extend(late)
    whole.log.events[-1] = msgspec.structs.replace(whole.log.events[-1], recorded_at_us=START_US)
    whole.catch_up()
    after = reader.statement(ACCOUNT, over)
    assert after.position > before.position
    assert msgspec.structs.replace(after, position=before.position) == before
    open_period = Period(from_us=over.until_us, until_us=ALWAYS.until_us)
    assert reader.statement(ACCOUNT, open_period).closing_nano == before.closing_nano - 5 - _charges_since(
        whole, over.until_us
    )


def _charges_since(lab: Lab, from_us: int) -> int:
    """How many of the charges of one nano-credit were recorded at a time or later."""
    return sum(one.topic == UsageCharged.TOPIC and one.recorded_at_us >= from_us for one in lab.log.events)


def test_an_account_that_the_log_does_not_know_has_zeros(reader: StatementReader) -> None:
    """Nothing is invented, and nothing fails."""
    found = reader.statement(OTHER, ALWAYS)
    assert (found.opening_nano, found.closing_nano, found.lines, found.totals_nano) == (0, 0, (), {})


@pytest.mark.parametrize(("zone", "after"), [("Nowhere/Land", None), ("UTC", "x"), ("UTC", "1")])
def test_what_cannot_be_asked(reader: StatementReader, zone: str, after: str | None) -> None:
    """A zone that is nowhere, a cursor that is none."""
    with pytest.raises(BadField):
        reader.statement(ACCOUNT, ALWAYS, zone=zone, after=after)
