"""The recorded exchanges, as fixtures: every OpenAI-dialect chat exchange of the shared corpus."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def chat_cases() -> list[dict[str, Any]]:
    """All cases of the endpoint `chat.completions`."""
    path = ROOT / CORPUS
    if not path.exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return [case for case in cases if case["endpoint"] == "chat.completions"]


@pytest.fixture(scope="session")
def streams(chat_cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case for case in chat_cases if case["stream"]]


@pytest.fixture(scope="session")
def answers(chat_cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whole answers with status 200, those that say an error among them."""
    return [case for case in chat_cases if not case["stream"] and case["response_status"] == 200]


@pytest.fixture(scope="session")
def requests(chat_cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases with a whole request that a provider answered with 200. Azure's older ones name the model in the URL only."""
    return [
        case
        for case in chat_cases
        if case["request_raw_kind"] == "json"
        and case["response_status"] == 200
        and case["request_body"].get("model")
    ]
