"""The recorded exchanges of the OpenAI dialect, and streams cut at random."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[4]
Case = dict[str, Any]
Cut = Callable[[bytes, str], list[bytes]]


@pytest.fixture(scope="session")
def corpus() -> list[Case]:
    """All cases of the endpoints that the dialect has."""
    path = ROOT / CORPUS
    if not path.exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    ours = ("chat.completions", "responses", "completions", "embeddings", "images", "audio", "moderations")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return [case for case in cases if case["endpoint"].startswith(ours)]


class Tally:
    """Counts of cases by provider, endpoint and stream, printed at the end of a test."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.excluded: Counter[tuple[str, str]] = Counter()

    def name(self, case: Case) -> str:
        return f"{case['provider']} {case['endpoint']} {'stream' if case['stream'] else 'json'}"

    def passes(self, case: Case) -> None:
        self.passed[self.name(case)] += 1

    def excludes(self, case: Case, reason: str) -> None:
        self.excluded[self.name(case), reason] += 1

    def total(self) -> int:
        return sum(self.passed.values())

    def show(self) -> None:
        for name, count in sorted(self.passed.items()):
            out = sum(number for (other, _), number in self.excluded.items() if other == name)
            print(f"{name}: {count}/{count + out} passed")  # noqa: T201  the table is asked for
        for (name, reason), count in sorted(self.excluded.items()):
            print(f"  excluded {count} of {name}: {reason}")  # noqa: T201  the same


@pytest.fixture
def tally() -> Iterator[Tally]:
    counts = Tally()
    yield counts
    counts.show()


def stream_bytes(case: Case) -> list[bytes]:
    """The events of a recorded stream as bytes; a closing `[DONE]` that the recorder took off is put back."""
    newline = case["sse_newline"].encode()
    events = []
    for item in case["stream_chunks"]:
        lines = [":" + item["comment"]] if "comment" in item else []
        lines += [f"event: {item['event']}"] if "event" in item else []
        lines += [f"data: {item['data']}"] if "data" in item else []
        events.append(newline.join(line.encode() for line in lines) + newline * 2)
    done = b"data: [DONE]" + newline * 2
    if case["sse_done"] and events[-1] != done:
        events.append(done)
    return events


@pytest.fixture
def events_of() -> Callable[[Case], list[bytes]]:
    return stream_bytes


@pytest.fixture
def cut() -> Cut:
    """Cuts bytes at random places; the seed is the name, and some streams are cut at every byte."""

    def pieces(data: bytes, name: str) -> list[bytes]:
        print("seed", name)  # noqa: T201  shown when the test fails
        random_ = random.Random(name)
        if len(data) < 20_000 and random_.random() < 0.2:
            return [data[index : index + 1] for index in range(len(data))]
        found, start = [], 0
        while start < len(data):
            size = random_.choice((1, 2, 3, 7, 40, 300, 2_000))
            found.append(data[start : start + size])
            start += size
        return found

    return pieces
