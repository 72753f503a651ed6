"""What must hold of one cell. Each claim gives a sentence on what is wrong, or nothing."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import anthropic
import httpx2
import openai

from domain.ledger.events import RequestReleased, UsageCharged
from tests.matrix.answers import TEXT
from tests.matrix.bank import EXACT_NANO, Bank
from tests.matrix.cells import RESCUER, Surface
from tests.matrix.play import Got
from tests.matrix.upstream import POISON

_ANTHROPIC_STATUS: Final = {503: 529}
_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    413: "request_too_large",
    502: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_QUESTION: Final = [{"role": "user", "content": "x"}]
_LEAKS: Final = (POISON, "127.0.0.1", "org-1234567890abcdef", "matrix-secret", "169.254")


class _Replayed(httpx2.BaseTransport):
    """Gives an SDK the answer that a cell's client got."""

    def __init__(self) -> None:
        self.answer = httpx2.Response(200)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        del request
        return self.answer


@cache
def _sdks() -> tuple[_Replayed, openai.OpenAI, anthropic.Anthropic]:
    transport = _Replayed()
    http = httpx2.Client(transport=transport)
    return (
        transport,
        openai.OpenAI(base_url="http://gateway/v1", api_key="key", http_client=http, max_retries=0),
        anthropic.Anthropic(base_url="http://gateway", api_key="key", http_client=http, max_retries=0),
    )


def wrong_answer(one: Got, bank: Bank) -> str | None:
    """The client's side: status, envelope, the SDK's view of it, and that nothing of the provider shows."""
    shown = one.content + str(one.headers).encode()
    for leak in (*_LEAKS, bank.secrets[one.place.name]):
        if leak.encode() in shown:
            return f"shows {leak}"
    if one.broken:
        return f"broke off: {one.broken}"
    if one.cell.serves:
        return _unserved(one)
    if one.cell.expected.ends == "breaks":
        return _unbroken(one)
    return _unrefused(one)


def _unserved(one: Got) -> str | None:
    if one.status != 200:
        return f"{one.status} {one.content[:300]!r}"
    try:
        text = _text(one)
    except (openai.OpenAIError, anthropic.AnthropicError) as error:
        return f"the SDK raises {error!r}"
    wanted = one.cell.expected.text or one.cell.expected.ends == "fails"
    if wanted and text != TEXT:
        return f"the text is {text!r}"
    if one.cell.stream and not _has_ended(one):
        return f"no end: {one.content[-200:]!r}"
    return None


def _unbroken(one: Got) -> str | None:
    if one.status != 200:
        return f"{one.status} {one.content[:300]!r}"
    try:
        text = _text(one)
    except (openai.APIError, anthropic.APIError):
        return "looks ended" if _has_ended(one) else None
    return f"the SDK takes {text[:100]!r} for whole: {one.content[-300:]!r}"


def _has_ended(one: Got) -> bool:
    """The stream says that it is complete."""
    mark = {
        "chat": b"[DONE]",
        "messages": b"event: message_stop",
        "responses": b"event: response.completed",
    }
    return mark[one.cell.surface] in one.content


def _unrefused(one: Got) -> str | None:
    return _wrong_envelope(one) or _unraised(one)


def _unraised(one: Got) -> str | None:
    """The SDK raises, with the status that was sent."""
    try:
        _text(one)
    except (openai.APIStatusError, anthropic.APIStatusError) as raised:
        return None if raised.status_code == one.status else f"the SDK says {raised.status_code}"
    return "the SDK does not raise"


def _wrong_envelope(one: Got) -> str | None:
    expected = one.cell.expected
    is_messages = one.cell.surface == "messages"
    status = (
        _ANTHROPIC_STATUS.get(expected.client_status, expected.client_status)
        if is_messages
        else expected.client_status
    )
    if one.status != status:
        return f"{one.status} instead of {status}: {one.content[:300]!r}"
    try:
        error = json.loads(one.content)["error"]
    except (ValueError, KeyError, TypeError):
        return f"no envelope: {one.content[:300]!r}"
    if is_messages:
        if error.get("type") != _ANTHROPIC_TYPES[status]:
            return f"the type is {error.get('type')}"
    elif not set(error) >= {"message", "type", "param", "code"} or error["code"] != expected.code:
        return f"the code is {error.get('code')} instead of {expected.code}"
    wait = one.headers.get("retry-after")
    if wait is not None and not 1 <= int(wait) <= 60:
        return f"retry-after is {wait}"
    return None


def _text(one: Got) -> str:
    """The answer's text, as the official SDK of the client's dialect reads it."""
    transport, _, _ = _sdks()
    headers = {"content-type": one.headers.get("content-type", "")}
    transport.answer = httpx2.Response(one.status, headers=headers, content=one.content)
    return _READERS[one.cell.surface](stream=one.cell.stream)


def _chat_text(*, stream: bool) -> str:
    client = _sdks()[1].chat.completions
    ask: dict[str, Any] = {"model": "m", "messages": _QUESTION}
    if not stream:
        whole = client.create(**ask).choices[0].message.content or ""
        return str(whole)
    chunks = [one for one in client.create(**ask, stream=True) if one.choices]
    return "".join(one.choices[0].delta.content or "" for one in chunks if one.choices[0].delta)


def _messages_text(*, stream: bool) -> str:
    client = _sdks()[2].messages
    ask: dict[str, Any] = {"model": "m", "messages": _QUESTION, "max_tokens": 64}
    if not stream:
        return "".join(block.text for block in client.create(**ask).content if block.type == "text")
    events = client.create(**ask, stream=True)
    return "".join(
        one.delta.text
        for one in events
        if one.type == "content_block_delta" and one.delta.type == "text_delta"
    )


def _responses_text(*, stream: bool) -> str:
    client = _sdks()[1].responses
    ask: dict[str, Any] = {"model": "m", "input": "x"}
    if not stream:
        return str(client.create(**ask).output_text)
    events = client.create(**ask, stream=True)
    return "".join(one.delta for one in events if one.type == "response.output_text.delta")


_READERS: Final[dict[Surface, Callable[..., str]]] = {
    "chat": _chat_text,
    "messages": _messages_text,
    "responses": _responses_text,
}


def wrong_record(one: Got, bank: Bank) -> str | None:
    """The attempts: the failed one with its class and status, then the one that served, and nothing passed over."""
    ended = one.ended
    if ended is None:
        return f"not admitted once and ended once: {[type(fact).__name__ for fact in one.facts]}"
    expected = one.cell.expected
    found = [(attempt.outcome, attempt.status, attempt.deployment_id) for attempt in ended.attempts]
    first = bank.deployments[one.place.name]
    wanted = [(expected.outcome, expected.status, first)]
    if expected.ends == "fails" and one.cell.rescued:
        wanted.append(("ok", 200, bank.rescuers[RESCUER[one.cell.kind]]))
    if found != wanted:
        return f"attempts {[part[:2] for part in found]} instead of {[part[:2] for part in wanted]}"
    if ended.attempts[0].credential_id != bank.credentials[one.place.name]:
        return "another credential"
    if getattr(ended, "passed_over", ()):
        return f"passed over: {ended.passed_over}"
    if any(attempt.duration_ms < 0 or attempt.started_us <= 0 for attempt in ended.attempts):
        return "times that cannot be"
    return None


def wrong_charge(one: Got) -> str | None:
    """Nothing for a failure, what the sound answer costs for a sound answer, never above the hold."""
    ended = one.ended
    if ended is None:
        return "no end"
    expected = one.cell.expected
    if not one.cell.serves and expected.ends != "breaks":
        told = ended.code if isinstance(ended, RequestReleased) else f"a charge of {ended.charge_nano}"
        return None if told == expected.code else f"{told} instead of {expected.code}"
    if not isinstance(ended, UsageCharged):
        return f"released as {ended.code}"
    result = "cut" if expected.ends == "breaks" else "completed"
    if ended.result != result:
        return f"{ended.result} instead of {result}"
    if not 0 <= ended.charge_nano <= ended.hold_nano or (ended.shortfall_nano and expected.charged != "all"):
        return f"charged {ended.charge_nano} of {ended.hold_nano}, short of {ended.shortfall_nano}"
    return _wrong_amount(ended, "exact" if expected.ends == "fails" else expected.charged)


def _wrong_amount(ended: UsageCharged, wanted: str) -> str | None:
    told = f"{ended.charge_nano} nano for {ended.units}, {ended.usage_source}, {ended.usage_flags}"
    match wanted:
        case "exact":
            is_right = ended.charge_nano == EXACT_NANO and ended.usage_source == "provider"
        case "estimated":
            is_right = ended.charge_nano > 0 and ended.usage_source == "estimated"
        case "all":
            is_right = ended.charge_nano == ended.hold_nano and ended.usage_source == "estimated"
        case "nothing":
            is_right = ended.charge_nano == 0 and ended.usage_source == "provider"
        case _:
            is_right = ended.charge_nano > 0
    return None if is_right else f"{told} is not {wanted}"
