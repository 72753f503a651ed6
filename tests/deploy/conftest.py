"""Tools of this folder."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory with a path that is short enough for a socket."""
    with TemporaryDirectory(prefix="tokenok-") as name:
        yield Path(name)
