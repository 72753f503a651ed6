"""Numbers of leaves and positions of events."""

from hypothesis import given
from hypothesis import strategies as st

from domain.sealing.positions import Positions, Run, read_runs

positions = st.lists(st.integers(1, 60), unique=True, max_size=40).map(sorted)


@given(log=positions)
def test_every_position_leads_to_its_leaf_and_no_other(log: list[int]) -> None:
    """A position without an event has no leaf, whether it is a gap or not reached yet."""
    found = Positions()
    for position in log:
        found.add(position)
    assert [found.index_of(position) for position in range(62)] == [
        log.index(position) if position in log else None for position in range(62)
    ]
    assert [found.position_of(index) for index in range(len(log))] == log
    assert found.last == (log[-1] if log else 0)


@given(log=positions, size=st.integers(0, 40))
def test_what_was_written_down_beyond_a_checkpoint_does_not_count(log: list[int], size: int) -> None:
    """A crash may leave lines of a tree that was never signed, and half a line."""
    size = min(size, len(log))
    whole = Positions()
    text = "".join(run.line for run in map(whole.add, log) if run)
    again = Positions(read_runs(f"{text}9999 99"), size)
    assert again.last == (log[size - 1] if size else 0)
    assert [again.index_of(position) for position in log[:size]] == list(range(size))


def test_a_log_without_gaps_is_one_line() -> None:
    """What is kept grows with gaps, not with events."""
    found = Positions()
    for position in range(1, 1000):
        found.add(position)
    assert found.runs == (Run(0, 1),)
