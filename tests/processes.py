"""How tests are shared out between the processes of `./run test`: by file, what takes longest first.

A file's tests stay together, so that what its fixtures start is started once; so do files that share a costly fixture.
"""

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = ("tests/api/v1", "tests/clients", "tests/conformance", "tests/pains", "tests/routing")
"""Folders whose files share a gateway."""
LONGEST_FIRST: Final = (
    "tests/matrix",
    "tests/application/dialects/anthropic/upstream/test_any_input.py",
    "tests/model/test_machine.py",
    "tests/model/test_mutations.py",
    "tests/model/test_afterwards.py",
    "tests/conformance",
    "tests/test_cli.py",
    "tests/api/v1",
    "tests/model",
    "tests/simulator",
    "tests/test_",
    "tests/api/admin",
)
"""What would keep one process busy when the others are done. Two that work a gateway hard do not begin side by side."""


class ByFile(LoadScopeScheduling):
    """In the order of collection, which `longest_first` has made."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]  # as it was handed to us
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def longest_first(items: list[pytest.Item]) -> None:
    """Everything else keeps its order."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start))
    return next(ranks, len(LONGEST_FIRST))
