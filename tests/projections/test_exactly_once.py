"""Read models are a pure function of the log: whatever the batches, crashes and repetitions, the same bytes."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.histories import history
from tests.projections.lab import Lab

# The connection pool's threads may draw a random number while an example is made.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
_EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_seeds = st.integers(0, 2**32)


@_EXAMPLES
@given(seed=_seeds, batches=st.lists(st.integers(1, 40), max_size=12), last=st.integers(1, 500))
def test_batches_do_not_show(lab: Lab, seed: int, batches: list[int], last: int) -> None:
    """P10: a history in batches of any size, each by another process, gives what one big batch gives."""
    events = history(seed, steps=120)
    lab.start_over(events)
    lab.catch_up(batch_events=len(events))
    whole = lab.hashes()

    lab.start_over(events)
    for size in batches:
        lab.step(batch_events=size)
    lab.catch_up(batch_events=last)

    assert lab.hashes() == whole


@_EXAMPLES
@given(seed=_seeds, data=st.data())
def test_events_may_come_again(lab: Lab, seed: int, data: st.DataObject) -> None:
    """P11: going on from any older checkpoint, in other batches, leaves the read models as they were."""
    events = history(seed, steps=120)
    lab.start_over(events)
    lab.catch_up(batch_events=data.draw(st.integers(1, 200)))
    before = lab.hashes()

    for _ in range(2):
        lab.rewind(data.draw(st.integers(0, lab.log.head_position())))
        lab.catch_up(batch_events=data.draw(st.integers(1, 200)))

    assert lab.hashes() == before


@pytest.mark.parametrize("size", [1, 3, 17])
def test_nothing_old_shows_while_events_come_again(lab: Lab, size: int) -> None:
    """P11: not even in between: a row that knows of a newer event is not touched by an older one."""
    lab.start_over(history(13, steps=150))
    lab.catch_up()
    before = {name: found.sha256 for name, found in lab.hashes().items()}
    lab.rewind(0)
    while lab.position("balances") < lab.log.head_position():
        lab.step(batch_events=size)
        assert {name: found.sha256 for name, found in lab.hashes().items()} == before


@_EXAMPLES
@given(seed=_seeds, size=st.integers(1, 60))
def test_logs_that_no_rule_decides_fold_the_same_way(lab: Lab, seed: int, size: int) -> None:
    """A damaged order (ends without admissions, repeated ends and admissions) still gives the same bytes always."""
    events = history(seed, steps=60)
    events += events[: len(events) // 2]
    Random(seed).shuffle(events)
    lab.start_over(events)
    lab.catch_up(batch_events=len(events))
    whole = lab.hashes()

    lab.start_over(events)
    lab.catch_up(batch_events=size)
    assert lab.hashes() == whole

    lab.rewind(0)
    lab.catch_up(batch_events=size + 7)
    assert lab.hashes() == whole


@pytest.mark.parametrize("name", ["balances", "request_log"])
def test_a_rebuild_equals_what_grew(lab: Lab, name: str) -> None:
    """P10: incremental and rebuilt read models are equal to the byte, at the same position."""
    lab.start_over(history(7, steps=600))
    lab.catch_up(batch_events=37)
    grown = lab.hashes()[name]
    assert grown.rows > 100 or name == "balances"
    assert lab.rebuild(name) == grown
