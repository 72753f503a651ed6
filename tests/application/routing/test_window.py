"""Counts over the last seconds, against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from application.routing.window import WINDOW_S, OutcomeWindow

steps = st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60)


@given(steps)
def test_the_counts_are_those_of_the_window_give_or_take_a_tenth(steps: list[tuple[float, bool]]) -> None:
    """Nothing younger than nine tenths of it is missing, nothing older than all of it is there."""
    window, happened, now_s = OutcomeWindow(), [], 100.0
    for wait_s, failed in steps:
        now_s += wait_s
        window.add(failed=failed, now_s=now_s)
        happened.append((now_s, failed))
        surely = [one for one in happened if one[0] > now_s - 0.9 * WINDOW_S]
        maybe = [one for one in happened if one[0] > now_s - WINDOW_S - 0.001]
        assert len(surely) <= window.requests <= len(maybe)
        assert sum(failed for _, failed in surely) <= window.failures <= sum(failed for _, failed in maybe)
        row = 0
        for _, one in reversed(happened):
            if not one:
                break
            row += 1
        assert window.consecutive == row


def test_a_cleared_window_counts_anew() -> None:
    """As after a breaker closed."""
    window = OutcomeWindow()
    window.add(failed=True, now_s=1)
    window.clear()
    assert (window.requests, window.failures, window.consecutive) == (0, 0, 0)
