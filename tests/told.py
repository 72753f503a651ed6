"""What tests have to say beyond passing: tables and seeds, printed at the end of the run.

A test may be played by a process of its own, whose output nobody sees; so the lines travel with its report.
"""

from collections.abc import Callable, Iterable

import pytest

Tell = Callable[[str], None]
_TOLD = "told"


def teller(item: pytest.Item) -> Tell:
    """Keeps text for the end of the run, whether the test passes or not."""

    def tell(text: str) -> None:
        item.user_properties.append((_TOLD, text.strip("\n")))

    return tell


def told_in(reports: Iterable[object]) -> list[tuple[str, str]]:
    """What was told, with the test that told it; each once, in the order of tests."""
    found = {
        (report.nodeid, str(text)): None
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, text in report.user_properties
        if name == _TOLD
    }
    return sorted(found)
