"""Silence and ends at every point where an answer can hang or end."""

from typing import Final

from tests.matrix.answers import Kind
from tests.matrix.fault import Expected, Fault, Where, breaks, fails, serves
from tests.matrix.upstream import Play, Wire, chunk, sound

_UNREAD: Final = fails(status=0)
_LATE_HEAD: Final = fails("timeout", status=0)
_LATE: Final = fails("timeout")


async def _nothing(wire: Wire) -> None:
    """Close without a byte."""


async def _hang(wire: Wire) -> None:
    await wire.hang()


async def _reset(wire: Wire) -> None:
    wire.reset()


async def _status_line(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 20")


async def _headers(wire: Wire) -> None:
    await wire.send(wire.head()[:-4])


async def _head(wire: Wire) -> None:
    await wire.send(wire.head("transfer-encoding: chunked" if wire.stream else "content-length: 10"))


async def _begun(wire: Wire) -> None:
    if wire.stream:
        await wire.chunked(wire.some, end=False)
    else:
        await wire.send(wire.head(f"content-length: {len(wire.sound)}") + wire.some)


async def _half_event(wire: Wire) -> None:
    await wire.chunked(wire.some + wire.good.events[wire.good.begun][:20], end=False)


async def _most(wire: Wire) -> None:
    """Everything but what says that it is over: of a document, its last byte."""
    if wire.stream:
        await wire.chunked(wire.most, end=False)
    else:
        await wire.send(wire.head(f"content-length: {len(wire.sound)}") + wire.most)


async def _all_but_frame(wire: Wire) -> None:
    await wire.chunked(wire.sound, end=False)


async def _short_chunk(wire: Wire) -> None:
    await wire.send(wire.head("transfer-encoding: chunked") + chunk(wire.some) + b"ffff\r\nabc")


def _then(first: Play, second: Play) -> Play:
    async def play(wire: Wire) -> None:
        await first(wire)
        await second(wire)

    return play


_POINTS: Final[tuple[tuple[str, Play, bool, bool], ...]] = (
    ("before_head", _nothing, True, False),
    ("in_status_line", _status_line, True, False),
    ("in_headers", _headers, True, False),
    ("after_head", _head, False, False),
    ("mid_body", _begun, False, True),
    ("before_last_byte", _most, False, True),
)
"""Name, what was sent until then, whether that is no whole head, and whether a stream has said something."""


def _at_points() -> list[Fault]:
    faults: list[Fault] = []
    ends: tuple[tuple[str, Play, Expected, Expected], ...] = (
        ("hang", _hang, _LATE_HEAD, _LATE),
        ("cut", _nothing, _UNREAD, fails()),
        ("reset", _reset, _UNREAD, fails()),
    )
    for point, until, is_early, has_begun in _POINTS:
        for end, play, early, late in ends:
            expected = early if is_early else late
            faults.append(
                Fault(
                    name=f"{end}_{point}",
                    family="phase",
                    play=_then(until, play),
                    json=expected,
                    stream=breaks() if has_begun else expected,
                    where="hasty" if end == "hang" else "plain",
                )
            )
    return faults


def _unreachable(name: str, where: Where, outcome: str) -> Fault:
    expected = fails(outcome, status=0)
    return Fault(name=name, family="phase", play=_nothing, json=expected, stream=expected, where=where)


async def _drip(wire: Wire) -> None:
    """Byte by byte, each in a packet of its own as far as the kernel allows."""
    head = wire.head(f"content-length: {len(wire.sound)}")
    for byte in head + wire.sound:
        await wire.send(bytes((byte,)))


async def _dead_afterwards(wire: Wire) -> None:
    """A whole answer that promises to stay, and then the end."""
    await sound(wire)


async def _drip_for_ever(wire: Wire) -> None:
    """Alive, and never done: a blank now and then, which no limit of silence ends."""
    await wire.send(wire.head("transfer-encoding: chunked") + chunk(wire.some if wire.stream else b"{"))
    while True:
        await wire.send(chunk(b": still there\n\n" if wire.stream else b" "))
        await wire.pause()


_NO_MARK: Final[tuple[Kind, ...]] = ("gemini",)
"""Dialects whose streams end with the body: nothing else says that it is over."""
_OVER: Final = serves()

FAULTS: Final = (
    _unreachable("connection_refused", "closed", "unknown"),
    _unreachable("hang_in_connect", "deaf", "timeout"),
    _unreachable("no_tls_there", "no_tls", "unknown"),
    _unreachable("hang_in_tls", "mute_tls", "timeout"),
    *_at_points(),
    Fault(name="cut_mid_event", family="phase", play=_half_event, stream=breaks()),
    Fault(name="cut_mid_chunk", family="phase", play=_short_chunk, json=fails(), stream=breaks()),
    Fault(
        name="cut_before_last_frame",
        family="phase",
        play=_all_but_frame,
        json=fails(),
        stream=serves(),
        by_kind={("gemini", True): breaks(charged="exact")},
    ),
    Fault(
        name="hang_before_last_frame",
        family="phase",
        play=_then(_all_but_frame, _hang),
        json=_LATE,
        stream=serves(),
        by_kind={("gemini", True): breaks(charged="exact")},
        where="hasty",
    ),
    Fault(name="byte_by_byte", family="phase", play=_drip, json=serves(), stream=serves()),
    Fault(name="dead_afterwards", family="phase", play=_dead_afterwards, json=serves(), stream=serves()),
    Fault(
        name="drips_for_ever", family="phase", play=_drip_for_ever, json=_LATE, stream=breaks(), where="hasty"
    ),
)
