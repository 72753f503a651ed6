"""The ledger's invariants over histories of several gateways, a reaper, crashes and lost replies."""

from typing import ClassVar

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.ledger.events import LEDGER_EVENTS
from tests.model.machine import Ledger

PER_EXAMPLE = 2  #: the other half has what comes afterwards, too: `test_afterwards.py`
SITUATIONS = {
    "a lent lot was taken back",
    "debit refused",
    "a batch came late",
    "absurd cost",
    "admitted again",
    "conflict",
    "fenced",
    "froze",
    "gave back on recall",
    "lease lost",
    "micro",
    "refused",
    "refused for a debt",
    "woke",
}

SHARES = {
    "lease.share-raised.v1",
    "lease.share-returned.v1",
}  #: of budgets: their histories are the simulator's


@pytest.mark.timeout(1800)
def test_no_history_breaks_an_invariant(model_settings: settings, model_seed: int) -> None:
    """P01-P11, P14, P26-P28 and P30 hold after every step, whatever happens in which order."""

    class Machine(Ledger):
        pass

    half = settings(model_settings, max_examples=model_settings.max_examples // PER_EXAMPLE)
    run_state_machine_as_test(seed(model_seed)(Machine), settings=half)


def test_the_histories_reach_what_they_are_meant_to_reach(model_settings: settings) -> None:
    """Every kind of event is stored and every trouble arises; a model in which nothing happens would prove nothing."""

    class Machine(Ledger):
        seen: ClassVar[dict[str, int]] = {}  # this machine's own

    brief = settings(model_settings, max_examples=400, phases=(Phase.generate,))
    run_state_machine_as_test(seed(1)(Machine), settings=brief)
    missing = {event.TOPIC for event in LEDGER_EVENTS} - SHARES | SITUATIONS
    assert missing - Machine.seen.keys() == set()
