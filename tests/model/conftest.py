"""How long the model is run: 6,000 histories over all machines, or `HYPOTHESIS_PROFILE=thorough` for twice as many.

`HYPOTHESIS_SEED` repeats a run; the seed in use is told at its end. Nothing is kept between runs.
"""

import os
import secrets

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.told import Tell

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
settings.register_profile(DEFAULT_PROFILE, _common, max_examples=3000)
settings.register_profile("thorough", _common, max_examples=6000)

_profile = os.environ.get("HYPOTHESIS_PROFILE", DEFAULT_PROFILE)
_seed = int(os.environ.get("HYPOTHESIS_SEED") or secrets.randbits(32))


@pytest.fixture(scope="session")
def model_settings() -> settings:
    """The profile that was asked for; another one's name means ours."""
    return settings.get_profile(_profile if _profile == "thorough" else DEFAULT_PROFILE)


@pytest.fixture
def model_seed(tell: Tell) -> int:
    tell(f"HYPOTHESIS_PROFILE={_profile} HYPOTHESIS_SEED={_seed}")
    return _seed
