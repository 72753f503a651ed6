"""The port to model providers over HTTP/1.1: what the hot path asks of a client, and how calls fail.

Owns the request and response types, the parsing of upstream URLs and the exceptions. Every exception has a
stable `code` for logs and attempt records, and says in `may_have_run` whether the provider may have done
(and bill) the work. Durations are seconds, sizes bytes. Messages never hold a header's value, a body or a query.
"""

import ipaddress
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import ClassVar, Literal, Protocol

import msgspec

Phase = Literal["connect", "first_byte", "idle", "total"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORTS = range(1, 65536)
_HOST_NAME_MAX = 253
_HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_TARGET = re.compile(rb"/[!-\"$-~]*")
_URL = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<v6>[0-9a-f.]*:[0-9a-f:.]*)\]|(?P<name>[a-z0-9_.-]+))(?::(?P<port>[0-9]{1,5}))?(?P<target>[/?].*)?",
    re.IGNORECASE,
)


class UpstreamError(Exception):
    """Base of what calling an upstream raises."""

    code: ClassVar[str]
    may_have_run: bool
    """Whether the upstream may have processed the request, although no complete answer came."""


class BadUpstreamUrl(UpstreamError):
    """A URL cannot be used for an upstream. Nothing was connected to."""

    code = "bad_upstream_url"
    may_have_run = False


class UpstreamRequestRefused(UpstreamError):
    """The request could not be written as one unambiguous HTTP/1.1 message. Nothing was connected to or sent."""

    code = "upstream_request_refused"
    may_have_run = False


class UpstreamConnectError(UpstreamError):
    """No connection: name, address, TLS or certificate. Nothing of the request was sent."""

    code = "upstream_connect_failed"
    may_have_run = False

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UpstreamBusy(UpstreamConnectError):
    """Every allowed connection is in use and the queue for one is full. Nothing of the request was sent."""

    code = "upstream_busy"


class UpstreamTimeout(UpstreamError):
    """A limit of time passed; the connection was cut.

    In phase `connect` nothing of the request was sent; in `first_byte` (the head of the answer), `idle` (between two
    pieces of its body) and `total` the upstream may have processed it, and may still be at work.
    """

    code = "upstream_timeout"

    def __init__(self, phase: Phase) -> None:
        super().__init__(phase)
        self.phase = phase
        self.may_have_run = phase != "connect"


class UpstreamTooSlow(UpstreamError):
    """The body came more slowly than its deployment allows; the connection was cut.

    The upstream has begun to answer, and may still be at work.
    """

    code = "upstream_too_slow"
    may_have_run = True


class UpstreamProtocolError(UpstreamError):
    """The answer is not HTTP/1.1 as we accept it, or ended before its announced end.

    The upstream may have processed the request. What was read before is not a complete answer.
    """

    code = "upstream_protocol_error"
    may_have_run = True


class UpstreamAnswerTooLarge(UpstreamProtocolError):
    """The body is larger than the caller takes. The upstream has processed the request; the rest was not read."""

    code = "upstream_answer_too_large"


class UpstreamClosed(UpstreamError):
    """The connection was lost before the answer was complete. The upstream may have processed the request."""

    code = "upstream_closed"
    may_have_run = True


class ParsedUrl(msgspec.Struct, frozen=True):
    """An upstream's URL, taken apart once: what was checked is what is connected to and sent.

    `host` is a lower-case ASCII name or an IP address without brackets; `target` is the path with the query.

    Raises:
        BadUpstreamUrl: on construction, for anything else.
    """

    scheme: str
    host: str
    port: int
    target: bytes

    def __post_init__(self) -> None:
        if self.scheme not in _DEFAULT_PORTS:
            raise BadUpstreamUrl("the scheme must be http or https")
        if not _is_host(self.host):
            raise BadUpstreamUrl("the host is neither an ASCII name nor an IP address")
        if self.port not in _PORTS:
            raise BadUpstreamUrl("the port is out of range")
        if not _TARGET.fullmatch(self.target):
            raise BadUpstreamUrl("the path must start with / and hold visible ASCII only")

    def authority(self) -> bytes:
        """The value of the Host header: brackets around IPv6, no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return host.encode()
        return f"{host}:{self.port}".encode()


def parse_url(url: str) -> ParsedUrl:
    """Take an operator's URL apart. User info, fragments, whitespace and non-ASCII are refused, never repaired.

    Raises:
        BadUpstreamUrl: it is not an absolute http(s) URL that every parser reads alike.
    """
    match = _URL.fullmatch(url)
    if match is None or not url.isascii():
        raise BadUpstreamUrl("not an absolute http(s) URL without user info")
    scheme = match["scheme"].lower()
    target = match["target"] or "/"
    return ParsedUrl(
        scheme=scheme,
        host=(match["v6"] or match["name"]).lower(),
        port=int(match["port"] or _DEFAULT_PORTS[scheme]),
        target=(target if target.startswith("/") else f"/{target}").encode(),
    )


def _is_host(host: str) -> bool:
    if ":" not in host:
        return len(host) <= _HOST_NAME_MAX and _HOST_NAME.fullmatch(host) is not None
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


class BodySource(Protocol):
    """A request body that is not held in one piece."""

    @property
    def size_bytes(self) -> int:
        """Exactly what `pieces` gives together."""
        ...

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body from its start, each time it is called: a request may be sent again."""
        ...


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One request. `host`, `content-length` and connection headers are the client's own to write.

    `accept-encoding: identity` is sent unless `headers` says otherwise: bodies are passed on as they come.
    """

    method: bytes
    url: ParsedUrl
    headers: list[tuple[bytes, bytes]]
    body: bytes | BodySource = b""

    @property
    def body_bytes(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.size_bytes


class UpstreamResponse(Protocol):
    """An answer whose head has come and whose body is being received.

    Whoever holds one reads it to its end or calls `aclose`; both give the connection back. One reader at a time.
    """

    @property
    def status(self) -> int:
        """200 to 599; interim answers (1xx) were skipped. Redirects are not followed."""
        ...

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Names in lower case, in the order received, repeated as received."""
        ...

    @property
    def at_end(self) -> bool:
        """True once the last byte of a complete body was handed out."""
        ...

    async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
        """All that has arrived since the last call, at once; else what comes next. `b""` is the end of a complete body.

        `None` (only with `ping_s`): nothing came for so long; call again, the silence goes on counting. A cancelled
        call loses nothing: call again, or `aclose`.

        Raises:
            UpstreamTimeout: `idle` after `idle_s` of silence while waiting here, or `total`.
            UpstreamProtocolError, UpstreamClosed: the body is not complete and never will be. What had arrived before was
                handed out first. After any of these, the response is closed.
        """
        ...

    def aiter_raw(self, *, idle_s: float) -> AsyncIterator[bytes]:
        """The rest of the body as `receive` gives it, until its end. Raises as `receive`."""
        ...

    async def read(self, max_bytes: int, *, idle_s: float) -> bytes:
        """The whole rest of the body; the response is closed afterwards, also when this fails or is cancelled.

        Raises:
            UpstreamAnswerTooLarge: it has more than `max_bytes`.
            UpstreamTimeout, UpstreamProtocolError, UpstreamClosed: as `receive`.
        """
        ...

    async def aclose(self) -> None:
        """Give the connection back: reused if the answer was complete, cut otherwise. Can be called twice; never raises."""
        ...


class Upstream(Protocol):
    """An HTTP/1.1 client with kept-alive connections."""

    async def send(
        self, request: UpstreamRequest, *, connect_s: float, first_byte_s: float, total_s: float | None = None
    ) -> UpstreamResponse:
        """Send `request` and return once the head of the answer has come.

        `connect_s` bounds waiting for a free connection, name look-up, connecting and TLS together. `first_byte_s` is the time
        without progress until the whole head of the answer has come. `total_s` also bounds receiving the body.
        The request is sent a second time, on a new connection, only if a kept-alive connection turned out to be closed
        before one byte of an answer was read. Cancelling cuts the connection.

        Raises:
            UpstreamRequestRefused, UpstreamConnectError: the upstream did not get the request.
            UpstreamTimeout: see its phase.
            UpstreamProtocolError, UpstreamClosed: the upstream may have processed the request.
        """
        ...

    async def aclose(self) -> None:
        """Cut every connection. Calls under way end with `UpstreamClosed` or `UpstreamConnectError`."""
        ...
