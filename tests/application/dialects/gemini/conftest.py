"""The recorded exchanges of Gemini's own API, from AI Studio and from Vertex, as fixtures."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """Every recorded case."""
    path = ROOT / CORPUS
    if not path.exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def gemini_cases(corpus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `generateContent` and `streamGenerateContent`."""
    return [
        case
        for case in corpus
        if case["provider"] in ("gemini", "vertex")
        and case["endpoint"] in ("generateContent", "streamGenerateContent")
    ]
