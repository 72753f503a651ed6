"""P25: the same body gets the same answer for one charge, another body gets none; and the faults that would break it."""

from typing import Any, ClassVar

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.idempotency import Idempotency
from tests.model.switches import Switches
from tests.model.world import Violation

PER_LEDGER_EXAMPLE = 2  #: both ways together as many as the ledger's machine has
EXAMPLES_MAX = (
    3_000  # the search ends at the first violation; how soon it comes depends on which modules are loaded
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("waits", [True, False], ids=["lease asked", "lease not asked"])
def test_a_key_is_served_and_charged_once(model_settings: settings, model_seed: int, *, waits: bool) -> None:
    """Whoever asks how often, whatever reply is lost, whoever dies in between.

    A key that is freed while its claimant lives costs that one its answer, and nobody a second charge.
    """

    class Machine(Idempotency):
        seen: ClassVar[set[object]] = set()
        waits_for_the_lease: ClassVar[bool] = waits

    shorter = settings(
        model_settings, stateful_step_count=20, max_examples=model_settings.max_examples // PER_LEDGER_EXAMPLE
    )
    run_state_machine_as_test(seed(model_seed)(Machine), settings=shorter)
    told = {None, "reused", "in progress"} if waits else {None, "reused"}
    assert Machine.seen == told | {"charged", "released", "abandoned"}


@pytest.mark.parametrize(
    "fault",
    [
        {"switches": Switches(checks_versions=False)},
        {"switches": Switches(groups_are_atomic=False)},
        {"outcome_joins_the_charge": False},
        {"compares_bodies": False},
    ],
    ids=["no version check", "groups in part", "outcome apart from the charge", "bodies not compared"],
)
def test_a_seeded_fault_is_caught(fault: dict[str, Any], model_settings: settings) -> None:
    """Each rule is needed: without it a key is charged twice, or tells what did not happen."""
    machine = type("Machine", (Idempotency,), fault)
    brief = settings(
        model_settings, max_examples=EXAMPLES_MAX, phases=(Phase.generate,), report_multiple_bugs=False
    )
    with pytest.raises(Violation, match="P25"):
        run_state_machine_as_test(seed(1)(machine), settings=brief)
