"""Helpers of these tests: a chat request in, the Messages body out; and the recorded exchanges."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.port import Asked, Target

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[5]

Ask = Callable[..., Asked]
Body = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Ask with these members of a chat request; `traits` and `output_tokens` are the target's."""

    def asked(*traits: str, output_tokens: int = 4096, stream: bool = False, **chat: Any) -> Asked:
        chat.setdefault("messages", [{"role": "user", "content": "Hi"}])
        target = Target(model="claude-x", output_tokens=output_tokens, traits=frozenset(traits))
        return AnthropicUpstream().ask({"model": "alias"} | chat, target, stream=stream)

    return asked


@pytest.fixture(scope="session")
def body(ask: Ask) -> Body:
    """As `ask`, the body only."""

    def asked(*traits: str, **chat: Any) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(ask(*traits, **chat).body)
        return members

    return asked


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """All recorded exchanges."""
    path = ROOT / CORPUS
    if not path.exists():
        pytest.skip(f"corpus not present: {CORPUS}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
