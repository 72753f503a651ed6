"""What is decided after requests have ended, and what is promised: over the ledger's histories, and with seeded faults."""

from typing import ClassVar

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.balance_alerts import LOW_BALANCE_EVENTS
from domain.ledger.adjustments import ADJUSTMENT_EVENTS
from domain.ledger.charges import CHARGE_EVENTS
from domain.ledger.refusals import LedgerRefusal
from domain.promotions.events import PROMOTION_EVENTS
from tests.model.afterwards import Afterwards
from tests.model.mutations import Mutation
from tests.model.mutations_afterwards import MUTATIONS
from tests.model.switches import Switches
from tests.model.world import Violation

SEED = 20
EXAMPLES_UNBROKEN = 100
PER_EXAMPLE = 2  #: the other half is the ledger alone: `test_machine.py`
SITUATIONS = {
    "a code was used by somebody else",
    "code refused as CodeLimit",
    "code refused as CodeUsed",
    "code refused as WrongState",
    "dispute refused as WrongState",
    "late usage refused as AlreadyExists",
    "late usage refused as UsageAbsurd",
    "late usage refused as WrongState",
    "review refused as NotFound",
    "review refused as WrongState",
    "told by an earlier life",
}


@pytest.mark.timeout(1800)
def test_no_history_breaks_an_invariant(model_settings: settings, model_seed: int) -> None:
    """C01, C02, A01 of what is about charges, and B01, with all that holds of the ledger."""

    class Machine(Afterwards):
        seen: ClassVar[dict[str, int]] = {}

    half = settings(model_settings, max_examples=model_settings.max_examples // PER_EXAMPLE)
    run_state_machine_as_test(seed(model_seed)(Machine), settings=half)
    events = (*CHARGE_EVENTS, *ADJUSTMENT_EVENTS, *PROMOTION_EVENTS, *LOW_BALANCE_EVENTS)
    assert ({kind.TOPIC for kind in events} | SITUATIONS) - Machine.seen.keys() == set()


def _run(switches_: Switches, base: settings, *, examples: int) -> None:
    class Machine(Afterwards):
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
