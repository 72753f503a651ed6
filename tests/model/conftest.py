"""How long the model is run: a few hundred histories, or `HYPOTHESIS_PROFILE=thorough` for 6,000.

`HYPOTHESIS_SEED` repeats a run; the seed in use stands in the summary. Nothing is kept between runs.
"""

import os
import secrets

import pytest
from hypothesis import HealthCheck, Phase, settings

STEPS = 50
DEFAULT_PROFILE = "ledger-model"

_common = settings(
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    print_blob=True,
)
settings.register_profile(DEFAULT_PROFILE, _common, max_examples=500)
settings.register_profile("thorough", _common, max_examples=6000)

_profile = os.environ.get("HYPOTHESIS_PROFILE", DEFAULT_PROFILE)
_seed = int(os.environ.get("HYPOTHESIS_SEED") or secrets.randbits(32))


@pytest.fixture(scope="session")
def model_settings() -> settings:
    """The profile that was asked for; another one's name means ours."""
    return settings.get_profile(_profile if _profile == "thorough" else DEFAULT_PROFILE)


@pytest.fixture(scope="session")
def model_seed() -> int:
    return _seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"ledger model: HYPOTHESIS_PROFILE={_profile} HYPOTHESIS_SEED={_seed}")
