"""Reads one connection's answers, one after the other: framing, limits and when a body is complete.

Owns the C parser and what it has parsed of the current answer. Knows nothing of sockets, timers or waiting.
"""

from typing import Final

import httptools
import msgspec

from application.upstream import UpstreamProtocolError

IDLE: Final = 0  #: no request is under way: every byte is one too many
HEAD: Final = 1  #: a request was begun; the final answer's head is not complete
BODY: Final = 2
DONE: Final = 3  #: the answer is complete

_INTERIM: Final = range(100, 200)
_FINAL: Final = range(200, 600)
_SWITCHING_PROTOCOLS: Final = 101
INTERIM_MAX: Final = 16  #: 1xx answers in front of the final one


class AnswerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a head may be; above it the answer is a protocol error. Trailers count as well."""

    headers_max: int = 256
    header_bytes_max: int = 16 * 1024
    """One header's name and value."""
    head_bytes_max: int = 64 * 1024
    """All that may come before the head is complete, interim answers included."""


class Answer:
    """The current answer of one connection. `begin` starts the next one."""

    __slots__ = (
        "_head_bytes", "_head_only", "_interims", "_is_framed", "_is_interim", "_limits", "_parser", "_refusal",
        "_trailers", "body", "headers", "is_reusable", "is_touched", "on_body", "state", "status",
    )  # fmt: skip

    def __init__(self, limits: AnswerLimits) -> None:
        self._limits = limits
        self.state: int = IDLE
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        # The parser calls this for each piece of body: straight into C, no frame of ours per SSE chunk.
        self.on_body = self.body.append
        self.is_reusable = True
        self.is_touched = False
        self._head_only = self._is_framed = self._is_interim = False
        self._head_bytes = self._interims = self._trailers = 0
        self._refusal: str | None = None
        self._parser = httptools.HttpResponseParser(self)

    def begin(self, *, head_only: bool) -> None:
        """Expect the answer to a request that is about to be written; `head_only` for HEAD."""
        assert self.state == IDLE
        self.state = HEAD
        self.headers = []
        self.is_touched = self._is_framed = False
        self._head_only = head_only
        self._head_bytes = self._interims = self._trailers = 0

    def feed(self, data: memoryview) -> None:
        """Take what was read. Bytes after the end are dropped and make the connection unfit for reuse.

        Raises:
            UpstreamProtocolError: it is no acceptable answer. `body` holds what was good before.
        """
        self.is_touched = True
        if self.state == HEAD:
            # Counted before parsing: a head is refused as soon as this much came without its end.
            if self._head_bytes >= self._limits.head_bytes_max:
                raise UpstreamProtocolError("the head of the answer is too large")
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.is_reusable = False
            if self.state != DONE:
                # The parser's messages are constants of its own; they quote nothing of the answer.
                raise UpstreamProtocolError(self._refusal or str(error)) from None

    def feed_eof(self) -> None:
        """The upstream ended its side cleanly.

        Raises:
            UpstreamProtocolError: a body with an announced end was cut short.
        """
        self.is_reusable = False
        if self.state == BODY:
            if self._is_framed:
                raise UpstreamProtocolError("the body ended before its announced end")
            self.state = DONE

    def on_message_begin(self) -> None:
        if self.state != HEAD:
            self._refuse("bytes after the end of the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) + len(value) > self._limits.header_bytes_max:
            self._refuse("a header of the answer is too large")
        if self.state != HEAD:
            self._trailers += 1  # Dropped: nothing that comes behind the body may speak for it.
            if self._trailers > self._limits.headers_max:
                self._refuse("the answer has too many trailers")
            return
        name = name.lower()
        value = value.rstrip(b" \t")
        if name == b"transfer-encoding":
            if self._is_framed or value.lower() != b"chunked":
                self._refuse("the answer has a transfer encoding other than chunked")
            self._is_framed = True
        elif name == b"content-length":
            self._is_framed = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if len(self.headers) > self._limits.headers_max:
            self._refuse("the answer has too many headers")
        if status in _INTERIM:
            self._skip_interim(status)
            return
        if status not in _FINAL:
            self._refuse("the answer's status is not one of HTTP")
        self.status = status
        self.is_reusable = self._parser.should_keep_alive()
        self.state = BODY
        if self._head_only:
            # The parser cannot be told that no body follows; so this connection ends here.
            self.is_reusable = False
            self.state = DONE

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._is_interim = False
        elif self.state == BODY:
            self.state = DONE

    def _skip_interim(self, status: int) -> None:
        self._interims += 1
        if status == _SWITCHING_PROTOCOLS or self._interims > INTERIM_MAX:
            self._refuse("the upstream changes protocols or sends endless interim answers")
        self._is_interim = True
        self._is_framed = False
        self.headers.clear()

    def _refuse(self, reason: str) -> None:
        """Stop the parser; `feed` raises with `reason` (exceptions in callbacks do not keep theirs)."""
        self._refusal = reason
        raise UpstreamProtocolError(reason)
