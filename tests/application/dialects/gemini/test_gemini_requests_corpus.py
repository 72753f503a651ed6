"""Every recorded OpenAI-dialect chat request, asked of Gemini: its SDK's own types judge what comes out."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from google.genai import types

from application.dialects.gemini.traits import SCHEMA_SUBSET, TRAITS
from application.dialects.gemini.upstream import GeminiUpstream
from application.dialects.port import Target
from application.wire.errors import InvalidRequest
from application.wire.head import parse_chat

Json = dict[str, Any]
NEW = frozenset(TRAITS) - {SCHEMA_SUBSET, "no_system", "no_call_ids", "one_candidate"}
OLD = frozenset({SCHEMA_SUBSET, "no_system", "no_call_ids"})


@pytest.fixture(scope="session")
def chats(corpus: list[Json]) -> list[Json]:
    """Requests that pass our own check."""
    found = []
    for case in corpus:
        if case["endpoint"] != "chat.completions" or case["request_raw_kind"] != "json":
            continue
        try:
            parse_chat(json.dumps(case["request_body"]).encode())
        except InvalidRequest:
            continue
        found.append(case)
    return found


def check(body: Json) -> None:
    """The whole body by Google's types, which allow no unknown member."""
    assert set(body) <= {
        *("contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "serviceTier")
    }
    for content in body["contents"]:
        # Recorded media are cut out: any data stands for them.
        whole = re.sub(r'"ELIDED\w+"', '"AAAA"', json.dumps(content))
        types.Content.model_validate_json(whole)
        assert content["parts"]
    roles = [content["role"] for content in body["contents"]]
    assert roles[0] == "user"
    assert all(before != after for before, after in pairwise(roles))
    types.GenerateContentConfig.model_validate_json(json.dumps(body["generationConfig"]))
    for tool in body.get("tools", []):
        types.Tool.model_validate_json(json.dumps(tool))
    if "systemInstruction" in body:
        types.Content.model_validate_json(json.dumps(body["systemInstruction"]))
    if "toolConfig" in body:
        types.ToolConfig.model_validate_json(json.dumps(body["toolConfig"]))


@pytest.mark.parametrize("traits", [NEW, OLD], ids=["new", "old"])
def test_every_recorded_chat_request_is_translated_or_refused_by_name(
    chats: list[Json], traits: frozenset[str]
) -> None:
    """Refusals and dropped members are printed; the rest keeps every text, call and tool."""
    passed: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for case in chats:
        chat = case["request_body"]
        target = Target(model="gemini-3.8-flash", output_tokens=1_000, traits=traits)
        try:
            asked = GeminiUpstream().ask(chat, target, stream=chat.get("stream") is True)
        except InvalidRequest as refusal:
            reasons[f"{refusal.code} {''.join(c for c in refusal.param or '' if not c.isdigit())}"] += 1
            continue
        body = json.loads(asked.body)
        check(body)
        check_nothing_is_lost(chat, body)
        dropped.update(asked.dropped)
        passed[case["provider"]] += 1
    print(sum(passed.values()), dict(passed), dict(reasons), dict(dropped))  # noqa: T201  whoever runs it wants to see
    assert sum(passed.values()) + sum(reasons.values()) == len(chats)
    assert sum(passed.values()) > 1_200


def check_nothing_is_lost(chat: Json, body: Json) -> None:
    parts = [part for content in body["contents"] for part in content["parts"]]
    parts += body.get("systemInstruction", {}).get("parts", [])
    calls = [call for message in chat["messages"] for call in message.get("tool_calls") or []]
    sent = [part["functionCall"] for part in parts if "functionCall" in part]
    assert [call["name"] for call in sent] == [call["function"]["name"] for call in calls]
    assert [call["args"] for call in sent] == [
        json.loads(call["function"]["arguments"] or "{}") for call in calls
    ]
    answers = [message for message in chat["messages"] if message["role"] == "tool"]
    assert sum("functionResponse" in part for part in parts) == len(answers)
    texts = {part.get("text") for part in parts}
    for message in chat["messages"]:
        if message["role"] != "tool" and isinstance(message.get("content"), str) and message["content"]:
            assert message["content"] in texts
    offered = [
        function["name"] for tool in body.get("tools", []) for function in tool["functionDeclarations"]
    ]
    assert offered == [tool["function"]["name"] for tool in chat.get("tools") or []]
