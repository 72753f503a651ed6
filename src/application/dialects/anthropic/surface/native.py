"""A request on its way to a provider that speaks this dialect: the bytes of the client, but for what is named here."""

import re
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

_Members = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder(_Members).decode
_decode_turns: Final = msgspec.json.Decoder(list[_Members]).decode
_decode_blocks: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode
_UNSIGNED: Final = re.compile(rb'"signature"[ \t\r\n]*:[ \t\r\n]*""')

VERSION: Final = b"2023-06-01"
VERSIONS: Final = frozenset({VERSION, b"2026-10-21"})
BETAS: Final = frozenset(
    {
        b"advanced-tool-use", b"cache-diagnosis", b"claude-code", b"compact", b"context-management",
        b"extended-cache-ttl", b"fine-grained-tool-streaming", b"inline-tools", b"interleaved-thinking",
        b"mid-conversation-output-config", b"mid-conversation-system-clear-at", b"mid-conversation-tool-changes",
        b"model-context-window-exceeded", b"output-128k", b"output-300k", b"pdfs", b"prompt-caching",
        b"structured-outputs", b"task-budgets", b"thinking-binding-controls", b"thinking-display-updates",
        b"thinking-token-count", b"token-counting", b"token-efficient-tools", b"tool-examples", b"tool-search-tool",
        b"tools",
    }
)  # fmt: skip
"""Betas by name, without their dates, that change the form of requests and answers only.

Not among them: what keeps files, containers or agents in the operator's account, where all customers are one; what makes
the provider call other servers or models; and what has other prices or a larger context than the model's.
"""
_DATED: Final = re.compile(rb"([a-z0-9-]{1,64}?)-(?:\d{4}-\d{2}-\d{2}|\d{8})")


class _Thought(msgspec.Struct):
    type: str = ""
    signature: str | None = None


_decode_thought: Final = msgspec.json.Decoder(_Thought).decode


def patch_messages(body: bytes, *, model: str, max_tokens: int | None) -> bytes:
    """The body for a deployment that calls its model `model`; every other value keeps its bytes.

    `max_tokens` is the bound that was held for; `None`, for a count of tokens, leaves the member as it is. Thoughts
    with an empty signature go: another provider had them, and Anthropic would refuse them.

    `body` must have passed `parse_messages` or `parse_count`; anything else raises a `msgspec.MsgspecError`.
    """
    members = _decode(body)
    members["model"] = msgspec.Raw(_encode(model))
    if max_tokens is not None:
        members["max_tokens"] = msgspec.Raw(b"%d" % max_tokens)
    if _UNSIGNED.search(body):
        members["messages"] = _signed(members["messages"])
    return _encode(members)


def native_headers(
    headers: Iterable[tuple[bytes, bytes]],
    *,
    versions: Collection[bytes] = VERSIONS,
    betas: Collection[bytes] = BETAS,
) -> list[tuple[bytes, bytes]]:
    """What goes upstream of a client's headers: the version, `VERSION` where it is unknown, and the betas that may.

    `headers` have names in lower case.
    """
    version = VERSION
    wanted: list[bytes] = []
    for name, value in headers:
        if name == b"anthropic-version" and value.strip() in versions:
            version = value.strip()
        elif name == b"anthropic-beta":
            wanted += [beta.strip() for beta in value.split(b",")]
    passing = [beta for beta in dict.fromkeys(wanted) if _may_pass(beta, betas)]
    sent = [(b"anthropic-version", version)]
    return [*sent, (b"anthropic-beta", b",".join(passing))] if passing else sent


def _may_pass(beta: bytes, betas: Collection[bytes]) -> bool:
    dated = _DATED.fullmatch(beta)
    return dated is not None and dated.group(1) in betas


def _signed(messages: msgspec.Raw) -> msgspec.Raw:
    """The turns without unsigned thoughts; a turn that was nothing else goes as well.

    A text that speaks of signatures does not match: the quotes in it are escaped.
    """
    turns: list[_Members] = []
    for turn in _decode_turns(messages):
        content = turn.get("content")
        if content is not None and _UNSIGNED.search(content):
            kept = [block for block in _decode_blocks(content) if not _is_unsigned(block)]
            if not kept:
                continue
            turn["content"] = msgspec.Raw(_encode(kept))
        turns.append(turn)
    return msgspec.Raw(_encode(turns))


def _is_unsigned(block: msgspec.Raw) -> bool:
    if not _UNSIGNED.search(block):
        return False
    try:
        thought = _decode_thought(block)
    except msgspec.ValidationError:
        return False  # malformed: its provider is to say so
    return thought.type == "thinking" and thought.signature == ""
