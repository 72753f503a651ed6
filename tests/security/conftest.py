"""The gateway as it runs, for what only a whole one can show."""

from tests.api.v1.conftest import world

__all__ = ["world"]
