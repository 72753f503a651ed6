"""`SIMULATOR_SEED` plays one history and prints its plan; `SIMULATOR_STEPS` is how many steps the long run takes."""

import os
import secrets

import pytest
import structlog

from tests.told import Tell

SEED = int(os.environ.get("SIMULATOR_SEED") or secrets.randbits(32))
STEPS = int(os.environ.get("SIMULATOR_STEPS") or 1_000_000)


@pytest.fixture(autouse=True)
def _silence() -> "object":
    """Leases are lost and fenced by the thousand here; nobody reads of it."""
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()


@pytest.fixture
def long_run(tell: Tell) -> tuple[int, int]:
    """The first seed of the long run, and its steps."""
    tell(f"SIMULATOR_SEED={SEED} SIMULATOR_STEPS={STEPS}")
    return SEED, STEPS


def _drop(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent
