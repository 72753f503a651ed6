"""Whole JSON answers: their usage, what is none, and what of them a client gets."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.answer import ReadAnswer, read_answer, spoken_text

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
COST = {"cost": 0.5, "cost_details": {}, "cost_in_usd_ticks": 7, "is_byok": True}


def answer(message: Any = None, *, finish: str = "stop", **more: Any) -> bytes:
    choice = {
        "index": 0,
        "message": message or {"role": "assistant", "content": "hi"},
        "finish_reason": finish,
    }
    return json.dumps(
        {"id": "c", "object": "chat.completion", "choices": [choice], "usage": USAGE} | more
    ).encode()


def test_an_answer_passes_as_the_same_bytes() -> None:
    """Nothing is copied or written anew."""
    body = b"\n\n " + answer()  # a queue may have sent blank lines before it
    read = read_answer(body)
    assert read.body is body
    assert (read.usage_raw, read.fault) == (json.dumps(USAGE).encode(), None)


def test_a_client_never_sees_what_the_upstream_charged() -> None:
    """The meter keeps it, the client gets the rest in the same place."""
    read = read_answer(answer(usage=USAGE | COST, system_fingerprint="f"))
    assert json.loads(read.body) == json.loads(answer(usage=USAGE, system_fingerprint="f"))
    assert json.loads(read.usage_raw or b"") == USAGE | COST


def test_an_answer_that_speaks_of_costs_is_not_touched_for_it() -> None:
    """Only the members of usage count, not the word elsewhere."""
    body = answer({"content": "x", "cost": 1}, cost_center="c")
    assert read_answer(body).body is body


@pytest.mark.parametrize(
    ("members", "mended"),
    [
        ({"service_tier": "on_demand"}, {"service_tier": "default"}),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        ({"finish": "eos"}, {"finish": "stop"}),
        ({"finish": ""}, {"finish": None}),
        (
            {"message": {"tool_calls": [{"id": "1", "function": {"name": "f"}}, {"id": "2", "custom": {}}]}},
            {
                "message": {
                    "tool_calls": [
                        {"id": "1", "function": {"name": "f"}, "type": "function"},
                        {"id": "2", "custom": {}},
                    ]
                }
            },
        ),
    ],
)
def test_what_strict_clients_refuse_is_mended(members: dict[str, Any], mended: dict[str, Any]) -> None:
    """Groq's tier, Together's end, Mistral's calls without a type."""
    assert json.loads(read_answer(answer(**members)).body) == json.loads(answer(**mended))


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"usage": None}, None),
        ({"usage": {}}, None),
        ({"usage": 7}, None),
        ({"usage": None, "x_groq": {"usage": USAGE}}, USAGE),
        ({"usage": None, "x_groq": {"id": "r"}}, None),
        ({"usage": None, "choices": [{"usage": USAGE}]}, USAGE),
        ({"usage": None, "choices": [{"usage": 1}]}, None),
    ],
)
def test_usage_is_found_or_is_absent(more: dict[str, Any], found: dict[str, Any] | None) -> None:
    """Null and empty are nothing; Groq and an older Kimi have it elsewhere."""
    raw = read_answer(answer(**more)).usage_raw
    assert (None if raw is None else json.loads(raw)) == found


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"filtered","code":"content_filter","status":400}}',
        b'{"error":"text","code":"c"}',
        b'{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}',
        b'{"choices":[7],"error":{"message":"odd"}}',
    ],
)
def test_an_error_with_status_200_is_no_answer(body: bytes) -> None:
    """Azure's filter and MiniMax answer so; nothing of it is for the client."""
    assert read_answer(body) == ReadAnswer(b"", None, "error_body")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"choices":[',
        b"\xff\x00",
        b'{"id":"c"}',
        b'{"choices":{}}',
        b'{"message":"x"}',
        b"[" * 9_000,
    ],
)
def test_what_is_no_chat_answer_is_garbage(body: bytes) -> None:
    """A page, noise, a cut answer, another object: 502, never passed on."""
    assert read_answer(body) == ReadAnswer(b"", None, "garbage")


def test_an_answer_of_odd_types_passes() -> None:
    """What does not fit the types but is an answer goes to the client as it is, with its usage read."""
    body = answer({"role": "assistant", "content": "half \ud83d", "tool_calls": "none"}, service_tier=5)
    read = read_answer(body)
    assert read.body is body
    assert json.loads(read.usage_raw or b"") == USAGE
    assert spoken_text(body).text == "half ?"


def test_odd_answers_lose_their_cost_too() -> None:
    """Text that only a lenient parser takes does not open a way for it."""
    body = answer({"content": "half \ud83d"}, usage=USAGE | COST)
    assert json.loads(read_answer(body).body)["usage"] == USAGE


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    """An SDK would fail on them, also where the gateway does not look."""
    assert read_answer(b'{"choices":[],"note":"\xff"}').body == '{"choices":[],"note":"\ufffd"}'.encode()


def test_an_answer_that_cannot_be_mended_passes() -> None:
    """A number out of range where nobody looks cannot lose an answer."""
    body = b'{"choices":[{"finish_reason":"eos"}],"x":1e400}'
    assert read_answer(body).body is body


def test_the_text_of_an_answer_is_everything_that_was_generated() -> None:
    """Of all choices: thoughts, content, calls."""
    message = {
        "content": "said ",
        "reasoning_content": "thought ",
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
    }
    body = json.dumps(
        {
            "choices": [
                {"message": message},
                {"message": {"content": "other"}},
                {},
                {"message": {"refusal": "!"}},
            ]
        }
    ).encode()
    assert spoken_text(body).text == "said thought f{}other!"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"choices":7}', b'{"choices":[7,{"message":7}]}', b'{"choices":[]}']
)
def test_no_text_is_no_text(body: bytes) -> None:
    """Whatever the body is."""
    assert spoken_text(body).text == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "message", "tool_calls", "function", "content", "usage", "error", "x_groq", "base_resp", "service_tier",
             "status_code", "cost", "finish_reason"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["choices", "usage", "error", "x_groq", "base_resp", "service_tier"]), JSON
    )
    | JSON
)
def test_no_json_raises(document: Any) -> None:
    """Every JSON value is an answer, an error or garbage."""
    body = json.dumps(document).encode()
    read = read_answer(body)
    assert (read.fault is None) == bool(read.body)
    assert isinstance(spoken_text(body).chars_total, int)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_raise(body: bytes) -> None:
    """Noise is garbage."""
    assert read_answer(body).fault == "garbage"


def test_every_recorded_answer_passes_with_its_usage(answers: list[dict[str, Any]]) -> None:
    """1,350 answers of 14 providers: unchanged but for the mends and the cost; usage as the recording says."""
    changed = 0
    for case in answers:
        recorded = case["response_body"]
        if not isinstance(recorded, dict):
            continue
        body = json.dumps(recorded, separators=(",", ":"), ensure_ascii=False).encode()
        read = read_answer(body)
        if "error" in recorded:
            assert read.fault == "error_body", case["id"]
            continue
        if read.body is not body:
            changed += 1
            assert json.loads(read.body) == mended(recorded), case["id"]
        assert json.loads(read.usage_raw or b"null") == case["usage"], case["id"]
    assert len(answers) > 1_300
    assert changed > 80


def mended(recorded: dict[str, Any]) -> dict[str, Any]:
    """The allowed rewrites of an answer, written down from the rules."""
    document: dict[str, Any] = json.loads(json.dumps(recorded))
    if document.get("service_tier") == "on_demand":
        document["service_tier"] = "default"
    for choice in document["choices"]:
        if choice["finish_reason"] == "eos":
            choice["finish_reason"] = "stop"
        for call in choice["message"].get("tool_calls") or []:
            call.setdefault("type", "function")
    for name in COST:
        document["usage"].pop(name, None)
    return document
