"""The recorded exchanges of every dialect that the gateway translates or passes, as what a provider would send again.

As `corpus`, which owns those of chat completions: a case is named by its id, and nothing of it may be printed.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from tests.conformance.corpus import CORPUS, JSON_STYLES, ROOT
from tests.conformance.corpus import Case as ChatCase

Json = dict[str, Any]
Kind = Literal["chat", "messages", "responses", "completions", "gemini"]
"""What a provider speaks."""

KINDS: dict[str, Kind] = {
    "messages": "messages",
    "responses": "responses",
    "completions": "completions",
    "generateContent": "gemini",
    "streamGenerateContent": "gemini",
}
NO_ANSWER = "request only: no answer was recorded"
NO_BODY = "an error whose body was not recorded"
NO_MESSAGE = "an answer of count_tokens, filed under the wrong endpoint"
TWO_IN_ONE = "two streams spliced into one, within an event's block"
_FAILURES = ("error", "response.failed")
_SPLICED = "anthropic/messages/28e017f2347779"
_ENDS: dict[Kind, frozenset[str]] = {
    "messages": frozenset({"message_stop"}),
    "responses": frozenset({"response.completed", "response.incomplete", "response.failed"}),
}


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange with a provider that speaks `kind`. `documents` are the answer, or the events of a stream."""

    id: str
    provider: str
    endpoint: str
    kind: Kind
    status: int
    stream: bool
    request: Json | None
    documents: tuple[Json, ...]
    events: tuple[bytes, ...]
    newline: bytes = b"\n"
    usage: Json | None = None

    @property
    def failed(self) -> bool:
        """The provider refused, be it with status 200 or within its stream."""
        kinds = {document.get("type") for document in self.documents}
        return self.status != 200 or bool(self.documents[0].get("error")) or not kinds.isdisjoint(_FAILURES)

    @property
    def group(self) -> tuple[str, str, str]:
        """Its line in a table."""
        return self.provider, self.endpoint, "stream" if self.stream else "json"

    def body(self, dice: random.Random) -> bytes:
        """What the provider sends."""
        if self.stream:
            return b"".join(self.events)
        return json.dumps(self.documents[0], **dice.choice(JSON_STYLES)).encode()


Excluded = Counter[tuple[tuple[str, str, str], str]]
"""How many were left out, by group and reason."""


def recordings(*kinds: Kind) -> tuple[list[Recording], Excluded]:
    """All that have an answer, and what was left out."""
    with gzip.open(ROOT / CORPUS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    found: list[Recording] = []
    excluded: Excluded = Counter()
    for row in rows:
        if KINDS.get(row["endpoint"]) not in kinds:
            continue
        reason = _excluded(row)
        if reason is None:
            found += _recordings(row)
        else:
            group = row["provider"], row["endpoint"], "stream" if row["stream"] else "json"
            excluded[group, reason] += 1
    return found, excluded


def _excluded(row: Json) -> str | None:
    if not row["stream"] and row["response_body"] is None:
        return NO_ANSWER
    if row["stream"] and row["response_status"] != 200:
        return NO_BODY
    if row["id"] == _SPLICED:
        return TWO_IN_ONE
    body = row["response_body"]
    if row["endpoint"] == "messages" and not row["stream"] and body.keys() == {"input_tokens"}:
        return NO_MESSAGE
    return None


def _recordings(row: Json) -> list[Recording]:
    """One, or several where a fixture holds several streams, one after another."""
    kind = KINDS[row["endpoint"]]
    body = row["response_body"]
    plain = Recording(
        id=row["id"],
        provider=row["provider"],
        endpoint=row["endpoint"],
        kind=kind,
        status=row["response_status"] or (400 if _is_error(body) else 200),
        stream=row["stream"] or isinstance(body, list),
        request=row["request_body"] if isinstance(row["request_body"], dict) else None,
        documents=(body,) if isinstance(body, dict) else (),
        events=(),
        usage=row["usage"],
    )
    if isinstance(body, dict):
        return [plain]
    newline = row.get("sse_newline", "\r\n").encode()
    # The gateway asks for events, so an array that was recorded without `alt=sse` comes as events, too.
    items = [{"data": json.dumps(one)} for one in body] if isinstance(body, list) else row["stream_chunks"]
    if row.get("sse_done"):
        items = [*items, {"data": "[DONE]"}] if items[-1].get("data") != "[DONE]" else items
    streams = _split([_event(item, newline) for item in items], _ENDS.get(kind, frozenset()))
    return [
        msgspec.structs.replace(
            plain,
            id=plain.id if not place else f"{plain.id}-{place + 1}",
            documents=tuple(document for _, document in stream if document is not None),
            events=tuple(event for event, _ in stream),
            newline=newline,
            usage=plain.usage if len(streams) == 1 else None,
        )
        for place, stream in enumerate(streams)
    ]


def _is_error(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("error"))


def _event(item: Json, newline: bytes) -> tuple[bytes, Json | None]:
    lines = [f":{item['comment']}"] if "comment" in item else []
    lines += [f"{name}: {item[name]}" for name in ("event", "data") if name in item]
    data = item.get("data", "")
    document = json.loads(data) if data.startswith("{") else None
    return newline.join(line.encode() for line in lines) + newline * 2, document


def _split(
    events: Iterable[tuple[bytes, Json | None]], ends: frozenset[str]
) -> list[list[tuple[bytes, Json | None]]]:
    streams: list[list[tuple[bytes, Json | None]]] = [[]]
    for event, document in events:
        streams[-1].append((event, document))
        if document is not None and document.get("type") in ends:
            streams.append([])
    return [stream for stream in streams if any(_says_something(document) for _, document in stream)]


def _says_something(document: Json | None) -> bool:
    """One fixture ends in starts and stops with nothing in between."""
    return document is not None and document.get("type") not in ("message_start", "message_stop")


def of_chat(case: ChatCase) -> Recording:
    """A chat exchange in this form."""
    documents = (
        [json.loads(event.strip()[6:]) for event in case.events if event.startswith(b"data: {")]
        if case.stream
        else [case.answer or {}]
    )
    return Recording(
        id=case.id,
        provider=case.provider,
        endpoint="chat.completions",
        kind="chat",
        status=400 if case.failed and case.status == 200 else case.status,
        stream=case.stream,
        request=case.request,
        documents=tuple(documents),
        events=case.events,
        newline=case.newline,
        usage=case.usage,
    )
