"""The journal: what was asked and what was served, for a three-way match of client, sandbox and ledger.

Owns a bounded ring in memory and, if named, an append-only file of JSON lines, each written with one unbuffered call
before the next step of the request. Prompts and completions never enter it. Times are Unix microseconds.
"""

import os
import time
from collections import deque
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec


class Accepted(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="accepted"):
    """A whole request has arrived; nothing of its answer has been sent."""

    n: int
    at_us: int
    id: str  #: the answer's id without its `chatcmpl-`; joins the two lines of a request
    path: str
    bytes: int
    model: str | None
    stream: bool
    fault: str | None
    ref: str | None  #: `metadata.ref` of the body
    request_id: str | None  #: header `x-request-id` of the request


class Served(msgspec.Struct, frozen=True, tag_field="event", tag="served"):
    """The answer's end, whichever it was.

    `complete` says that every byte of a whole answer was given to the socket while the peer had not left; whether it
    arrived, the client knows. `usage` is the truth of the whole answer (null if refused), `reported` what the wire
    said (null if nothing), `tokens_sent` the completion tokens that went out.
    """

    n: int
    at_us: int
    id: str
    ref: str | None
    request_id: str | None
    status: int | None  #: null: not even a status line was sent
    complete: bool
    usage: Any
    reported: Any
    tokens_sent: int


Line = Accepted | Served
_encoder = msgspec.json.Encoder()


class Journal:
    def __init__(self, *, path: Path | None = None, lines_max: int = 100_000) -> None:
        self._ring: deque[Line] = deque(maxlen=lines_max)
        self._n = 0
        self._fd = -1
        if path is not None:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def accepted(
        self,
        *,
        id_: str,
        path: str,
        body_bytes: int,
        model: str | None,
        stream: bool,
        fault: str | None,
        ref: str | None,
        request_id: str | None,
    ) -> None:
        self._n += 1
        self._write(
            Accepted(
                self._n, time.time_ns() // 1000, id_, path, body_bytes, model, stream, fault, ref, request_id
            )
        )

    def served(
        self,
        *,
        id_: str,
        ref: str | None,
        request_id: str | None,
        status: int | None,
        complete: bool,
        usage: Any,
        reported: Any,
        tokens_sent: int,
    ) -> None:
        self._n += 1
        at_us = time.time_ns() // 1000
        self._write(
            Served(self._n, at_us, id_, ref, request_id, status, complete, usage, reported, tokens_sent)
        )

    def _write(self, line: Line) -> None:
        self._ring.append(line)
        if self._fd >= 0:
            os.write(self._fd, _encoder.encode(line) + b"\n")

    def page(self, *, after: int, limit: int) -> dict[str, Any]:
        """Lines numbered above `after`, oldest first; `missing` counts those that the ring has forgotten."""
        first = self._ring[0].n if self._ring else self._n + 1
        begin = max(after + 1 - first, 0)
        lines = list(islice(self._ring, begin, begin + limit))
        return {
            "lines": lines,
            "next": lines[-1].n if lines else max(after, first - 1),
            "last": self._n,
            "missing": max(first - 1 - after, 0),
        }

    def forget(self) -> None:
        """Empty the ring. Numbers go on, and the file keeps its lines."""
        self._ring.clear()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
