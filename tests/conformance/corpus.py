"""The recorded OpenAI-dialect chat exchanges of the shared corpus, as what a provider would send again.

The corpus lies beside the repository, is never copied into it, and holds other people's prompts and answers: nothing of
them may be printed, so a case is named by its id alone.
"""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import msgspec

CORPUS = Path("../shared/corpus/cases.jsonl.gz")
ROOT = Path(__file__).parents[2]
NO_ANSWER = "request only: no answer was recorded"
JSON_STYLES: tuple[dict[str, Any], ...] = (
    {"ensure_ascii": False, "separators": (",", ":")},
    {"ensure_ascii": False},
    {"ensure_ascii": True, "indent": 2},
)
"""How providers spell JSON: compact, with blanks, over many lines and escaped."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange. `request` and `answer` are parsed; `events` are the bytes of a stream's."""

    id: str
    provider: str
    status: int
    stream: bool
    request: dict[str, Any] | None  #: not kept of every recording
    answer: dict[str, Any] | None
    events: tuple[bytes, ...]
    newline: bytes
    usage: dict[str, Any] | None

    @property
    def failed(self) -> bool:
        """The provider refused, be it with status 200."""
        return self.status != 200 or (self.answer is not None and "choices" not in self.answer)

    def body(self, dice: random.Random) -> bytes:
        """What the provider sends."""
        if self.stream:
            return b"".join(self.events)
        return json.dumps(self.answer, **dice.choice(JSON_STYLES)).encode()


def chat_cases() -> tuple[list[Case], dict[str, int]]:
    """All chat exchanges that have an answer, and how many were left out, by reason."""
    with gzip.open(ROOT / CORPUS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["endpoint"] == "chat.completions"]
    answered = [row for row in rows if row["response_body"] is not None or row["stream"]]
    return [_case(row) for row in answered], {NO_ANSWER: len(rows) - len(answered)}


def _case(row: dict[str, Any]) -> Case:
    newline = row["sse_newline"].encode() if row["stream"] else b"\n"
    events = tuple(_events(row, newline)) if row["stream"] else ()
    return Case(
        id=row["id"],
        provider=row["provider"],
        # The one whose status was not kept has the body of a 400.
        status=row["response_status"] or 400,
        stream=row["stream"],
        request=row["request_body"],
        answer=row["response_body"],
        events=events,
        newline=newline,
        usage=row["usage"] or _usage_beside(events),
    )


def _events(row: dict[str, Any], newline: bytes) -> list[bytes]:
    """The events as bytes; a closing `[DONE]` that the recorder took off is put back."""
    events = []
    for item in row["stream_chunks"]:
        fields = [("", "comment"), ("event", "event"), ("data", "data")]
        lines = [
            f"{name}:{item[key]}" if key == "comment" else f"{name}: {item[key]}"
            for name, key in fields
            if key in item
        ]
        events.append(newline.join(line.encode() for line in lines) + newline * 2)
    done = b"data: [DONE]" + newline * 2
    return [*events, done] if row["sse_done"] and events[-1] != done else events


def document_of(event: bytes) -> dict[str, Any] | None:
    """The JSON of an event, if it is one line of it."""
    text = event.strip()
    if not text.startswith(b"data: {"):
        return None
    document: dict[str, Any] = json.loads(text.removeprefix(b"data: "))
    return document


def _usage_beside(events: tuple[bytes, ...]) -> dict[str, Any] | None:
    """Groq's older streams have their usage in `x_groq`; the last one counts."""
    found: dict[str, Any] | None = None
    for event in events:
        beside = (document_of(event) or {}).get("x_groq") or {}
        found = beside.get("usage") or found
    return found
