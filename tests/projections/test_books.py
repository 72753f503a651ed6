"""When facts are booked."""

from uuid import UUID

from domain.event import Event
from projections.books import Booked, Books
from projections.projection import Located
from projections.usage import Usage
from projections.writing import store
from tests.projections.facts import FIRST, LEASE, charged, granted, released
from tests.projections.lab import Lab


def _facts(*events: tuple[int, Event]) -> list[Located]:
    """Events at the positions 1, 2, ..., each with the time at which it was recorded."""
    return [
        Located(place, LEASE, time_us, event, place) for place, (time_us, event) in enumerate(events, start=1)
    ]


def _take(lab: Lab, facts: list[Located]) -> list[Booked]:
    """What a batch finds new; the mark is stored."""
    with lab.pool.connection() as connection:
        books = Books(connection, "rm_usage_1", Usage.name)
        found = list(books.unseen(facts))
        store(connection, "rm_usage_1", [books.mark()])
        return found


def test_a_clock_that_goes_back_books_nothing_into_the_past(whole: Lab) -> None:
    """What is recorded with an earlier time is booked with the movement before it, in later batches too."""
    facts = _facts((50, granted(9)), (40, charged(FIRST, 2, 1)), (60, charged(FIRST, 2, 1)), (10, granted(9)))
    assert [one.booked_us for one in _take(whole, facts[:1]) + _take(whole, facts[1:])] == [50, 50, 60, 60]


def test_only_movements_of_credit_carry_the_clock_on(whole: Lab) -> None:
    """Read models that do not fold releases must book the same: a release leaves no trace in the clock."""
    facts = _facts((50, released(FIRST, 2)), (40, granted(9)))
    assert [one.booked_us for one in _take(whole, facts)] == [50, 40]


def test_what_is_behind_the_mark_is_not_taken_again(whole: Lab) -> None:
    """A sum cannot tell what is in it; the mark can."""
    facts = _facts((50, granted(9)), (60, granted(9, lot=2)))
    assert len(_take(whole, facts)) == 2
    assert _take(whole, facts) == []
    assert [
        one.fact.position for one in _take(whole, [*facts, Located(3, UUID(int=1), 70, granted(9), 3)])
    ] == [3]
