"""What the Python programs share: where the gateway is, one line for each check, an image."""

import os
import sys
from collections.abc import Callable
from typing import Any

URL = os.environ["TOKENOK_URL"]
KEY = os.environ["TOKENOK_KEY"]
POOR_KEY = os.environ["TOKENOK_POOR_KEY"]
LIMITED_KEY = os.environ["TOKENOK_LIMITED_KEY"]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SAW = "I see image/png of 70 bytes"


class Board:
    """Runs checks and counts those that failed."""

    def __init__(self) -> None:
        self._failed = 0

    def check(self, name: str, run: Callable[[], str]) -> None:
        try:
            sys.stdout.write(f"ok    {name}: {run()}\n")
        except Exception as error:  # noqa: BLE001  the next check is to run all the same
            self._failed += 1
            sys.stdout.write(f"FAIL  {name}: {type(error).__name__} {error}\n")

    def equal(self, seen: Any, wanted: Any) -> str:
        if seen != wanted:
            raise AssertionError(f"{seen!r} is not {wanted!r}")
        return repr(seen)

    def end(self) -> int:
        sys.stdout.write(f"{self._failed} failed\n" if self._failed else "all as wanted\n")
        return 1 if self._failed else 0
