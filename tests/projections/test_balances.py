"""The read model `balances` and its questions."""

from uuid import UUID

import pytest

from application.queries import Balance, OpenHold
from projections.balances import BalanceReader
from tests.histories import history, numbered
from tests.projections.facts import (
    ACCOUNT,
    FIRST,
    LEASE,
    OTHER,
    SECOND,
    THIRD,
    WALLET,
    abandoned,
    admitted,
    charged,
    granted,
    released,
)
from tests.projections.lab import Lab


@pytest.fixture
def reader(lab: Lab) -> BalanceReader:
    return BalanceReader(lab.pool)


def test_posted_held_and_available(lab: Lab, reader: BalanceReader) -> None:
    """Posted is granted less charged, available is posted less what open requests hold."""
    lab.log.extend(numbered(WALLET, 1, [granted(1_000)]))
    lab.log.extend(numbered(LEASE, 2, [admitted(FIRST, 300), admitted(SECOND, 50), charged(FIRST, 300, 120)]))
    lab.catch_up()
    assert reader.balance(ACCOUNT) == Balance(
        account_id=ACCOUNT,
        granted_nano=1_000,
        charged_nano=120,
        expired_nano=0,
        taken_nano=0,
        posted_nano=880,
        held_nano=50,
        available_nano=830,
        open_holds=1,
        updated_position=lab.log.head_position(),
    )


def test_balances_of_several_are_one_question(lab: Lab, reader: BalanceReader) -> None:
    """By account; one without any is left out, and of none there are none."""
    lab.log.extend(numbered(WALLET, 1, [granted(1_000)]))
    lab.catch_up()
    assert reader.balances_of([OTHER, ACCOUNT]) == {ACCOUNT: reader.balance(ACCOUNT)}
    assert reader.balances_of([]) == {}


def test_every_end_frees_its_hold(lab: Lab, reader: BalanceReader) -> None:
    """Charged, released or abandoned: nothing is held any more, and only the charge is gone."""
    holds = [admitted(FIRST, 10), admitted(SECOND, 20), admitted(THIRD, 40)]
    ends = [charged(FIRST, 10, 4), released(SECOND, 20), abandoned(THIRD, 40)]
    lab.log.extend(numbered(WALLET, 1, [granted(100)]))
    lab.log.extend(numbered(LEASE, 2, holds))
    lab.catch_up()
    shown = reader.balance_with_holds(ACCOUNT)
    assert shown
    assert (shown.balance.held_nano, shown.balance.open_holds, len(shown.holds)) == (70, 3, 3)
    lab.log.extend(numbered(LEASE, 5, ends))
    lab.catch_up()
    shown = reader.balance_with_holds(ACCOUNT)
    assert shown
    assert (shown.balance.posted_nano, shown.balance.held_nano, shown.balance.open_holds) == (96, 0, 0)
    assert shown.holds == ()


def test_the_holds_behind_a_balance_are_shown_oldest_first(lab: Lab, reader: BalanceReader) -> None:
    """Each open hold names its request, its lease, its amount and since when; the list may be cut."""
    lab.log.extend(numbered(WALLET, 1, [granted(100)]))
    lab.log.extend(
        numbered(LEASE, 2, [admitted(FIRST, 10, occurred_us=30), admitted(SECOND, 20, occurred_us=20)])
    )
    lab.catch_up()
    shown = reader.balance_with_holds(ACCOUNT)
    assert shown
    assert [(hold.request_id, hold.lease_id, hold.hold_nano, hold.since_us) for hold in shown.holds] == [
        (SECOND, LEASE, 20, 20),
        (FIRST, LEASE, 10, 30),
    ]
    cut = reader.balance_with_holds(ACCOUNT, holds_max=1)
    assert cut
    assert len(cut.holds) == 1
    assert cut.balance.open_holds == 2


def test_open_holds_are_listed_in_pages(lab: Lab, reader: BalanceReader) -> None:
    """Of all accounts or of one, each once."""
    lab.start_over(history(9, steps=400, accounts=3))
    lab.catch_up()
    seen: list[OpenHold] = []
    while page := reader.open_holds(after=seen[-1].request_id if seen else None, limit=2):
        seen += page
    balances = reader.balances()
    assert len(seen) == len(set(seen)) == sum(balance.open_holds for balance in balances) > 2
    for balance in balances:
        own = reader.open_holds(account_id=balance.account_id)
        assert sum(hold.hold_nano for hold in own) == balance.held_nano


def test_the_held_sum_is_the_sum_of_the_holds(lab: Lab, reader: BalanceReader) -> None:
    """P30, for a random history: the number shown and the list behind it agree for every account."""
    lab.start_over(history(9, steps=800, accounts=6))
    lab.catch_up(batch_events=17)
    balances = reader.balances()
    assert len(balances) == 6
    assert any(balance.open_holds for balance in balances)
    for balance in balances:
        shown = reader.balance_with_holds(balance.account_id, holds_max=500)
        assert shown
        assert sum(hold.hold_nano for hold in shown.holds) == balance.held_nano
        assert len(shown.holds) == balance.open_holds


def test_an_account_that_the_log_does_not_know_has_no_balance(reader: BalanceReader) -> None:
    """Nothing is invented: no row, no answer."""
    assert reader.balance(OTHER) is None
    assert reader.balance_with_holds(OTHER) is None
    assert reader.balances() == ()


def test_pages_of_balances_go_by_account(lab: Lab, reader: BalanceReader) -> None:
    """Going on after the last account of a page gives every account once."""
    lab.start_over(history(8, steps=10, accounts=7))
    lab.catch_up()
    seen: list[UUID] = []
    while page := reader.balances(after=seen[-1] if seen else None, limit=3):
        seen += [balance.account_id for balance in page]
    assert len(seen) == 7
    assert seen == sorted(set(seen))
