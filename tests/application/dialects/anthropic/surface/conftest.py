"""The recorded exchanges, as fixtures: those of Anthropic's own dialect, and those of chat completions."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[5]

Case = dict[str, Any]


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """All cases of `messages`, `messages.count_tokens` and `chat.completions`."""
    path = ROOT / CORPUS
    if not path.exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    return [
        case
        for case in every
        if case["endpoint"] in ("messages", "messages.count_tokens", "chat.completions")
    ]


class Tally:
    """Counts of cases by provider, endpoint and stream, with the reason for each that was left out."""

    def __init__(self) -> None:
        self.passed = Counter[str]()
        self.excluded = Counter[tuple[str, str]]()

    def passes(self, case: Case) -> None:
        self.passed[_group(case)] += 1

    def excludes(self, case: Case, reason: str) -> None:
        self.excluded[_group(case), reason] += 1

    def shown(self) -> str:
        lines = []
        for group in sorted({*self.passed, *(group for group, _ in self.excluded)}):
            out = sum(count for (other, _), count in self.excluded.items() if other == group)
            lines.append(f"{group}: {self.passed[group]}/{self.passed[group] + out} passed")
        lines += [
            f"  excluded {count} of {group}: {reason}"
            for (group, reason), count in sorted(self.excluded.items())
        ]
        return "\n".join(lines)


def _group(case: Case) -> str:
    return f"{case['provider']} {case['endpoint']} {'stream' if case['stream'] else 'json'}"


@pytest.fixture
def tally() -> Iterator[Tally]:
    """Prints its table when the test is over."""
    counts = Tally()
    yield counts
    print(counts.shown())  # noqa: T201  the table that whoever runs it wants to see
