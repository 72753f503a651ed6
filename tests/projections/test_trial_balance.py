"""The read model `trial_balance`: the books, and what they were at the end of each day."""

import pytest

from application.queries import clean
from application.reports.period import DAY_US
from application.reports.trial_balance import BooksBehind
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.periods import trial_balance_sha256
from domain.topics import REGISTRY
from projections.balances import BalanceReader
from projections.trial_balance import BooksReader
from tests.histories import START_US, history
from tests.projections.lab import Lab

FIRST_DAY_US = START_US - START_US % DAY_US


@pytest.fixture
def reader(whole: Lab) -> BooksReader:
    return BooksReader(whole.pool)


def _folded(lab: Lab, *, until_us: int) -> tuple[int, dict[str, int]]:
    """The last movement before a time, and the trial balance then, by the rules alone; names as they are stored."""
    rules, position = load_rules(), 0
    trial = TrialBalance(rules)
    for one in lab.log.events:
        if one.recorded_at_us < until_us and one.topic in rules.rules:
            position = one.position
            for posting in postings(rules, REGISTRY.decode(one.topic, one.state), stream_id=one.stream_id):
                trial.post(posting)
    return position, {clean(name): balance for name, balance in trial.balances.items() if balance}


@pytest.mark.parametrize("batch", [1, 19, 5_000])
def test_the_seal_of_a_day_is_what_the_rules_find(whole: Lab, reader: BooksReader, batch: int) -> None:
    """For every day that has ended, whatever the batches: position, accounts and digest; of days without facts too."""
    whole.start_over(history(3, steps=250))
    whole.catch_up(batch_events=batch)
    head = whole.log.head_position()
    for day in range(-1, 5):
        until_us = FIRST_DAY_US + day * DAY_US
        position, balances = _folded(whole, until_us=until_us)
        seal = reader.seal(until_us=until_us, head_position=head)
        assert (seal.position, seal.accounts) == (position, len(balances))
        assert seal.sha256 == trial_balance_sha256(balances)


def test_what_is_sealed_does_not_change_when_the_log_goes_on(whole: Lab, reader: BooksReader) -> None:
    """The same digest before the first fact of the next day, and long after."""
    events = history(3, steps=250)
    end_us = FIRST_DAY_US + 2 * DAY_US
    whole.start_over(events)
    in_time = [one for one in whole.log.events if one.recorded_at_us < end_us]
    whole.start_over(events[: len(in_time)])
    whole.catch_up()
    before = reader.seal(until_us=end_us, head_position=whole.log.head_position())
    whole.log.extend(events[len(in_time) :])
    whole.catch_up()
    assert reader.seal(until_us=end_us, head_position=whole.log.head_position()) == before
    assert before.accounts > 0


def test_books_that_might_miss_a_fact_give_no_seal(whole: Lab, reader: BooksReader) -> None:
    """They are neither past the end of the day nor at the head of the log; or they follow other rules."""
    whole.start_over(history(3, steps=20))
    whole.catch_up()
    far_us = FIRST_DAY_US + 1_000 * DAY_US
    head = whole.log.head_position()
    assert reader.seal(until_us=far_us, head_position=head).position > 0
    with pytest.raises(BooksBehind):
        reader.seal(until_us=far_us, head_position=head + 1)
    with whole.pool.connection() as connection:
        connection.execute("UPDATE projections SET version = 0 WHERE name = 'trial_balance'")
    with pytest.raises(BooksBehind):
        reader.seal(until_us=far_us, head_position=head)


def test_the_books_add_up_to_zero_and_agree_with_the_balances(whole: Lab, reader: BooksReader) -> None:
    """P30: two read models with rules of their own say the same of every account; pages give each line once."""
    whole.start_over(history(9, steps=400, accounts=3))
    whole.catch_up()
    items = []
    page = reader.trial_balance(limit=4)
    while page.next_after:
        items += page.items
        page = reader.trial_balance(after=page.next_after, limit=4)
    items += page.items
    assert {one.name: one.balance_nano for one in items} == _folded(whole, until_us=2**62)[1]
    assert sum(one.balance_nano for one in items) == 0
    for balance in BalanceReader(whole.pool).balances():
        own = tuple(f"{kind}:{balance.account_id}:" for kind in ("wallet", "leased", "frozen"))
        assert sum(one.balance_nano for one in items if one.name.startswith(own)) == balance.posted_nano
