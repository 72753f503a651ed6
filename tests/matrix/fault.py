"""What a misbehaviour is, and what is right when it happens."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Literal

import msgspec

from domain.catalogue.provider import UsageDialect
from tests.matrix.answers import Kind
from tests.matrix.upstream import Play, Wire

Ends = Literal["fails", "refused", "breaks", "serves"]
"""`fails`: before the first byte, another deployment may serve. `refused`: the client's own mistake, nobody else is asked.
`breaks`: after the first byte, told within the stream. `serves`: the client gets a whole answer."""
Charged = Literal["exact", "bounded", "estimated", "nothing", "all"]
"""`all`: the whole hold, and the operator bears the rest."""
Width = Literal["full", "brief", "narrow"]
"""For whom it is played: every client; those of the same dialect and one other; those of the same dialect, once."""
Where = Literal["plain", "hasty", "closed", "deaf", "no_tls", "mute_tls"]
"""The deployment: an ordinary one, one with short timeouts, and four that cannot be connected to."""
KINDS: Final[tuple[Kind, ...]] = ("chat", "responses", "messages", "gemini")

TOLD: Final[dict[str, tuple[str, int]]] = {
    "auth": ("upstream_auth_error", 502),
    "funds": ("upstream_auth_error", 502),
    "rate": ("upstream_overloaded", 503),
    "overloaded": ("upstream_overloaded", 503),
    "timeout": ("upstream_timeout", 504),
    "not_found": ("upstream_error", 502),
    "unknown": ("upstream_error", 502),
    "bad_request": ("invalid_request", 400),
    "content_filter": ("content_filter", 400),
}
"""By the class of a failure: the code and the status that the client is told."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` and `status` are what the attempt's record says; `code` is told to the client."""

    ends: Ends
    outcome: str = "ok"
    status: int = 200
    code: str = ""
    client_status: int = 200
    charged: Charged = "exact"
    text: bool = True  #: a served answer has the whole text


def fails(outcome: str = "unknown", *, status: int = 200) -> Expected:
    code, client_status = TOLD[outcome]
    return Expected(
        ends="fails",
        outcome=outcome,
        status=status,
        code=code,
        client_status=client_status,
        charged="nothing",
    )


def refused(
    outcome: str = "bad_request", *, status: int = 400, code: str = "", client_status: int = 400
) -> Expected:
    return Expected(
        ends="refused",
        outcome=outcome,
        status=status,
        code=code or TOLD[outcome][0],
        client_status=client_status,
        charged="nothing",
    )


def breaks(outcome: str = "truncated", charged: Charged = "estimated") -> Expected:
    return Expected(ends="breaks", outcome=outcome, charged=charged)


def serves(charged: Charged = "exact", *, text: bool = True) -> Expected:
    return Expected(ends="serves", charged=charged, text=text)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One misbehaviour, and what is right for a document and for a stream; none where it does not exist."""

    name: str
    family: str
    play: Play
    json: Expected | None = None
    stream: Expected | None = None
    by_kind: dict[tuple[Kind, bool], Expected] = {}  #: where one dialect differs, for a stream or not
    kinds: tuple[Kind, ...] = KINDS
    where: Where = "plain"
    width: Width = "full"
    usage_dialect: UsageDialect = "openai"
    own_credential: bool = False
    alone: bool = False  #: not while the others run, for its size

    def expected(self, kind: Kind, *, stream: bool) -> Expected | None:
        own = self.by_kind.get((kind, stream))
        return own or (self.stream if stream else self.json)


def said(body: Callable[[Wire], bytes], *fields: str, status: int = 200) -> Play:
    """A well framed answer with this body."""

    async def play(wire: Wire) -> None:
        await wire.whole(body(wire), *fields, status=status)

    return play


def raw(data: Callable[[Wire], bytes], then: Callable[[Wire], Awaitable[None]] | None = None) -> Play:
    """These bytes, then the end of the connection or what `then` does."""

    async def play(wire: Wire) -> None:
        await wire.send(data(wire))
        if then is not None:
            await then(wire)

    return play


def checked(faults: Iterable[Fault]) -> dict[str, Fault]:
    """By name; no name twice."""
    found: dict[str, Fault] = {}
    for fault in faults:
        assert fault.name not in found, fault.name
        found[fault.name] = fault
    return found
