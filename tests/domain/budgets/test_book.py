"""Shares of budgets: never more is lent of a window than the budget has, whatever its clocks and leases do."""

from copy import deepcopy
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.budgets import book as rules
from domain.budgets.book import BudgetBook, BudgetSpent, ShareGone, available_nano, share_stream
from domain.budgets.budget import Budget
from domain.budgets.events import ShareEvent
from domain.budgets.window import HOUR_US, BudgetWindow
from domain.ledger.refusals import AmountOutOfRange, LedgerRefusal
from tests.domain.budgets.budget_facts import BUCKET, BUDGET, budget, granted, returned, settled
from tests.domain.ledger.facts import LEASE, NOW, OTHER_LEASE, OWNER
from tests.spec import Spec


def _fold(book: BudgetBook, event: ShareEvent) -> BudgetBook:
    return rules.evolve(deepcopy(book), event)


SPEC: Spec[BudgetBook] = Spec(_fold, initial=BudgetBook())


def grant(
    book: BudgetBook, amount_nano: int, *, of: Budget, bucket: int = BUCKET, lease: UUID = LEASE
) -> list[ShareEvent]:
    return rules.grant_share(
        book, of, bucket_us=bucket, lease_id=lease, owner=OWNER, amount_nano=amount_nano, now_us=NOW
    )


def settle(
    book: BudgetBook, charged_nano: int, *, lease: UUID = LEASE, bucket: int = BUCKET
) -> list[ShareEvent]:
    return rules.settle_share(
        book, BUDGET, bucket_us=bucket, lease_id=lease, charged_nano=charged_nano, now_us=NOW
    )


def take_back(
    book: BudgetBook, amount_nano: int, *, lease: UUID = LEASE, bucket: int = BUCKET
) -> list[ShareEvent]:
    return rules.return_share(
        book, BUDGET, bucket_us=bucket, lease_id=lease, amount_nano=amount_nano, now_us=NOW
    )


def test_two_leases_cannot_have_the_same_share() -> None:
    """What one was lent is not there for the other."""
    given = SPEC.given(granted(60))
    given.when(lambda book: grant(book, 41, of=budget(), lease=OTHER_LEASE)).then_refused(BudgetSpent)
    given.when(lambda book: grant(book, 40, of=budget(), lease=OTHER_LEASE)).then(
        granted(40, lease=OTHER_LEASE)
    )


def test_what_was_charged_stays_spent_when_the_rest_comes_back() -> None:
    """Of 60, an ended lease charged 25: 75 are left."""
    given = SPEC.given(granted(60))
    given.when(lambda book: settle(book, 25)).then(settled(25, 35))
    after = SPEC.fold(granted(60), settled(25, 35))
    assert available_nano(after, budget(), BUCKET) == 75
    given.when(lambda book: settle(book, 61)).then_refused(AmountOutOfRange)
    SPEC.given(granted(60), settled(25, 35)).when(lambda book: settle(book, 25)).then_refused(ShareGone)


def test_a_live_lease_gives_back_no_more_than_it_has() -> None:
    """What is returned is available again, once."""
    given = SPEC.given(granted(60))
    given.when(lambda book: take_back(book, 60)).then(returned(60))
    given.when(lambda book: take_back(book, 61)).then_refused(AmountOutOfRange)
    given.when(lambda book: take_back(book, 0)).then_refused(AmountOutOfRange)
    SPEC.given().when(lambda book: take_back(book, 1)).then_refused(ShareGone)
    assert available_nano(SPEC.fold(granted(60), returned(60)), budget(), BUCKET) == 100


def test_a_lowered_budget_lends_nothing_until_enough_came_back() -> None:
    """What had been lent before is below zero, and never beyond."""
    given = SPEC.given(granted(60))
    given.when(lambda book: grant(book, 1, of=budget(50))).then_refused(BudgetSpent)
    assert available_nano(SPEC.fold(granted(60)), budget(50), BUCKET) == -10


def test_hours_before_count_until_they_are_out_of_the_window() -> None:
    """Three hours: 90 of the hour before last leave 10 now, and 100 an hour later."""
    rolling = budget(window=BudgetWindow(kind="rolling", hours=3))
    before_last = BUCKET - 2 * HOUR_US
    book = SPEC.fold(granted(90, bucket=before_last), settled(90, 0, bucket=before_last))
    assert available_nano(book, rolling, BUCKET) == 10
    assert available_nano(book, rolling, BUCKET + HOUR_US) == 100


def test_a_clock_that_is_behind_does_not_spend_what_one_ahead_has() -> None:
    """The windows of hours that others have seen already must have room too."""
    rolling = budget(window=BudgetWindow(kind="rolling", hours=2))
    book = SPEC.fold(granted(70, bucket=BUCKET + HOUR_US))
    assert available_nano(book, rolling, BUCKET) == 30
    assert available_nano(book, rolling, BUCKET - HOUR_US) == 100


def test_days_have_streams_of_their_own_and_hours_share_one() -> None:
    """A new day begins with an empty stream, so nothing has to be reset."""
    assert share_stream(budget(), BUCKET) != share_stream(budget(), BUCKET + 24 * HOUR_US)
    rolling = budget(window=BudgetWindow(kind="rolling", hours=3))
    assert share_stream(rolling, BUCKET) == share_stream(rolling, BUCKET + HOUR_US)


ACTS = st.tuples(
    st.sampled_from(("grant", "return", "settle")),
    st.integers(0, 4),  # hour
    st.sampled_from((LEASE, OTHER_LEASE)),
    st.integers(1, 60),
)


@given(st.lists(ACTS, max_size=60), st.integers(1, 4))
def test_no_window_is_ever_lent_more_than_the_budget(
    acts: list[tuple[str, int, UUID, int]], hours: int
) -> None:
    """After any decisions, in any order of hours: each window of so many hours is within the amount."""
    rolling = budget(window=BudgetWindow(kind="rolling", hours=hours))
    book = BudgetBook()
    for what, hour, lease, amount_nano in acts:
        bucket = BUCKET + hour * HOUR_US
        try:
            if what == "grant":
                events = grant(book, amount_nano, of=rolling, bucket=bucket, lease=lease)
            elif what == "return":
                events = take_back(book, amount_nano, bucket=bucket, lease=lease)
            else:
                events = settle(book, amount_nano, bucket=bucket, lease=lease)
        except LedgerRefusal:
            continue
        for event in events:
            rules.evolve(book, event)
        for end in range(5):
            window = [BUCKET + one * HOUR_US for one in range(end - hours + 1, end + 1)]
            assert sum(book.buckets[one].used_nano for one in window if one in book.buckets) <= 100


def test_what_was_counted_of_a_lease_is_not_counted_again() -> None:
    """A process that has not heard that its lease was ended borrows for it once more; nothing is charged out of that."""
    book = SPEC.fold(granted(60), settled(24, 36), granted(30))
    (again,) = settle(book, 24)
    assert again == settled(0, 30)
    assert SPEC.fold(granted(60), settled(24, 36), granted(30), again).buckets[BUCKET].used_nano == 24
