"""Requests on their way to a provider of the same dialect: bytes stay, but for what is named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.anthropic.surface.head import parse_messages
from application.dialects.anthropic.surface.native import native_headers, patch_messages
from application.wire.errors import InvalidRequest

BODY = b'{"model":"alias","max_tokens":100,"messages":[{"role":"user","content":"caf\\u00e9 \\/"}],"temperature":1.50}'
UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SAYS = {"type": "text", "text": '"signature":""'}


def test_model_and_bound_are_set_and_all_other_values_keep_their_bytes() -> None:
    """Escapes, number spellings and order stay as the client wrote them."""
    patched = patch_messages(BODY, model='up"1', max_tokens=50)
    assert patched == BODY.replace(b'"alias"', b'"up\\"1"').replace(b"100", b"50")


def test_a_count_has_no_bound() -> None:
    """`count_tokens` does not take the member."""
    assert b"max_tokens" not in patch_messages(b'{"model":"a","messages":[]}', model="b", max_tokens=None)


def messages_after(messages: list[dict[str, Any]], **dumping: Any) -> Any:
    body = json.dumps({"model": "a", "messages": messages}, **dumping).encode()
    return json.loads(patch_messages(body, model="b", max_tokens=1))["messages"]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (",", " :\n")])
def test_unsigned_thoughts_are_taken_out(separators: tuple[str, str]) -> None:
    """Trap 7: another provider had them, clients echo them, and Anthropic would refuse the signature."""
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": '"signature":""'},
        {"role": "assistant", "content": [UNSIGNED, SAYS]},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": [UNSIGNED]},
        {"role": "user", "content": "c"},
    ]
    assert messages_after(turns, separators=separators) == [
        turns[0],
        {"role": "assistant", "content": [SAYS]},
        turns[2],
        turns[4],
    ]


def test_signed_thoughts_stay_to_the_byte() -> None:
    """They must go back unchanged in a loop of tools."""
    body = json.dumps({"model": "a", "messages": [{"role": "assistant", "content": [SIGNED, UNSIGNED]}]})
    patched = patch_messages(body.encode(), model="a", max_tokens=None)
    assert json.dumps(SIGNED).encode() in patched
    assert b'"signature": ""' not in patched


def test_other_blocks_with_such_a_member_stay() -> None:
    """A tool's input may be called so; and what is malformed is its provider's to refuse."""
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"signature": ""}}
    odd = {"type": 5, "signature": ""}
    turns = [{"role": "assistant", "content": [call, odd]}]
    assert messages_after(turns, separators=(",", ":")) == turns


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ([], [(b"anthropic-version", b"2023-06-01")]),
        ([(b"anthropic-version", b"2026-10-21")], [(b"anthropic-version", b"2026-10-21")]),
        ([(b"anthropic-version", b"2099-01-01")], [(b"anthropic-version", b"2023-06-01")]),
        ([(b"anthropic-version", b"x\r\nx-api-key: y")], [(b"anthropic-version", b"2023-06-01")]),
        ([(b"x-api-key", b"k"), (b"cookie", b"c")], [(b"anthropic-version", b"2023-06-01")]),
    ],
)
def test_the_version_goes_upstream_if_we_know_it(
    given: list[tuple[bytes, bytes]], sent: list[tuple[bytes, bytes]]
) -> None:
    """The client's body is of that version; nothing else of its headers passes."""
    assert native_headers(given) == sent


def test_betas_pass_from_a_list() -> None:
    """What stores in the operator's account, calls other servers or has other prices does not."""
    given = [
        (b"anthropic-beta", b"interleaved-thinking-2025-05-14, files-api-2025-04-14,claude-code-20250219"),
        (b"anthropic-beta", b"context-1m-2025-08-07,interleaved-thinking-2025-05-14,tools"),
        (b"anthropic-beta", b"mcp-client-2025-11-20,fast-mode-2026-02-01,server-side-fallback-2026-07-01"),
    ]
    assert native_headers(given)[1:] == [
        (b"anthropic-beta", b"interleaved-thinking-2025-05-14,claude-code-20250219")
    ]


def test_an_operator_may_allow_more() -> None:
    """Both lists are arguments."""
    given = [(b"anthropic-version", b"2027-01-01"), (b"anthropic-beta", b"context-1m-2025-08-07")]
    sent = native_headers(given, versions=[b"2027-01-01"], betas=[b"context-1m"])
    assert sent == given


BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["thinking", "text", 5]),
        "signature": st.sampled_from(["", "x", None, 5]),
    },
)


@given(st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(BLOCK) | st.text()})))
def test_every_request_with_a_head_can_be_patched(messages: list[dict[str, Any]]) -> None:
    """Only thoughts without a signature are missing afterwards."""
    body = json.dumps({"model": "a", "max_tokens": 1, "messages": messages}).encode()
    try:
        parse_messages(body)
    except InvalidRequest:
        return
    wanted = []
    for turn in messages:
        content = turn["content"]
        if isinstance(content, list):
            kept = [block for block in content if block != {"type": "thinking", "signature": ""}]
            if content and not kept:
                continue
            content = kept
        wanted.append(turn | {"content": content})
    assert json.loads(patch_messages(body, model="b", max_tokens=2)) == {
        "model": "b",
        "max_tokens": 2,
        "messages": wanted,
    }
