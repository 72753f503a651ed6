"""Read models are a pure function of the log: whatever the batches, crashes and repetitions, the same bytes."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.registry import all_projections
from tests.histories import (
    auto_recharges,
    budgets,
    code_batches,
    held_charges,
    history,
    limits,
    orders,
    works,
)
from tests.projections.lab import Lab

# The connection pool's threads may draw a random number while an example is made.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
_EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_seeds = st.integers(0, 2**32)


@_EXAMPLES
@given(seed=_seeds, batches=st.lists(st.integers(1, 40), max_size=12), last=st.integers(1, 500))
def test_batches_do_not_show(whole: Lab, seed: int, batches: list[int], last: int) -> None:
    """P10: a history in batches of any size, each by another process, gives what one big batch gives."""
    events = history(seed, steps=120)
    whole.start_over(events)
    whole.catch_up(batch_events=len(events))
    expected = whole.hashes()

    whole.start_over(events)
    for size in batches:
        whole.step(batch_events=size)
    whole.catch_up(batch_events=last)

    assert whole.hashes() == expected


@_EXAMPLES
@given(seed=_seeds, data=st.data())
def test_events_may_come_again(whole: Lab, seed: int, data: st.DataObject) -> None:
    """P11: going on from any older checkpoint, in other batches, leaves the read models as they were."""
    events = history(seed, steps=120)
    whole.start_over(events)
    whole.catch_up(batch_events=data.draw(st.integers(1, 200)))
    before = whole.hashes()

    for _ in range(2):
        whole.rewind(data.draw(st.integers(0, whole.log.head_position())))
        whole.catch_up(batch_events=data.draw(st.integers(1, 200)))

    assert whole.hashes() == before


@pytest.mark.parametrize("size", [1, 3, 17])
def test_nothing_old_shows_while_events_come_again(whole: Lab, size: int) -> None:
    """P11: not even in between: a row that knows of a newer event is not touched by an older one."""
    whole.start_over(history(13, steps=150))
    whole.catch_up()
    before = {name: found.sha256 for name, found in whole.hashes().items()}
    whole.rewind(0)
    while whole.position("balances") < whole.log.head_position():
        whole.step(batch_events=size)
        assert {name: found.sha256 for name, found in whole.hashes().items()} == before


@_EXAMPLES
@given(seed=_seeds, size=st.integers(1, 60))
def test_logs_that_no_rule_decides_fold_the_same_way(whole: Lab, seed: int, size: int) -> None:
    """A damaged order (ends without admissions, repeated ends and admissions) still gives the same bytes always."""
    events = history(seed, steps=60)
    events += events[: len(events) // 2]
    Random(seed).shuffle(events)
    whole.start_over(events)
    whole.catch_up(batch_events=len(events))
    expected = whole.hashes()

    whole.start_over(events)
    whole.catch_up(batch_events=size)
    assert whole.hashes() == expected

    whole.rewind(0)
    whole.catch_up(batch_events=size + 7)
    assert whole.hashes() == expected


@pytest.mark.parametrize("name", [one.name for one in all_projections()])
def test_a_rebuild_equals_what_grew(whole: Lab, name: str) -> None:
    """P10: incremental and rebuilt read models are equal to the byte, at the same position."""
    kinds = (orders, budgets, held_charges, code_batches, auto_recharges, limits, works)
    few = [event for kind in kinds for event in kind(3)]
    whole.start_over([*history(7, steps=600), *few])
    whole.catch_up(batch_events=37)
    grown = whole.hashes()[name]
    assert grown.rows >= 3
    assert whole.rebuild(name) == grown
