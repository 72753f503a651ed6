"""The invariants have teeth: every seeded fault is caught, and what is not broken is not accused."""

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.ledger.refusals import LedgerRefusal
from tests.model.machine import Ledger
from tests.model.mutations import MUTATIONS, Mutation
from tests.model.switches import Switches
from tests.model.world import Violation

SEED = 20  # fixed: a mutant is caught by the same history every time
EXAMPLES_UNBROKEN = 150


def _run(switches_: Switches, base: settings, *, examples: int) -> None:
    class Machine(Ledger):
        switches = switches_

    brief = settings(base, max_examples=examples, phases=(Phase.generate,), report_multiple_bugs=False)
    run_state_machine_as_test(seed(SEED)(Machine), settings=brief)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_seeded_fault_is_caught(mutation: Mutation, model_settings: settings) -> None:
    """By the properties that are meant for it, or by a rule of the product that refuses to go on."""
    with pytest.raises((Violation, LedgerRefusal)) as caught:
        _run(mutation.switches, model_settings, examples=mutation.examples)
    if isinstance(caught.value, Violation):
        assert caught.value.args[0] in mutation.caught_by


def test_an_unbroken_ledger_passes(model_settings: settings) -> None:
    """The canary: what catches the mutants finds nothing where nothing is wrong."""
    _run(Switches(), model_settings, examples=EXAMPLES_UNBROKEN)


def test_the_versions_fence_without_the_log_knowing_endings(model_settings: settings) -> None:
    """That the log takes nothing after a closing event is a second lock on the same door: it holds without."""
    _run(Switches(checks_endings=False), model_settings, examples=EXAMPLES_UNBROKEN)
