"""What providers, proxies and bugs make of the events of a stream."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.matrix.answers import WORDS, Kind, encoded, event
from tests.matrix.fault import KINDS, Expected, Fault, breaks, fails, serves
from tests.matrix.upstream import Wire

_NOISE: Final = random.Random(13).randbytes(2_048)
_OPENAI: Final[tuple[Kind, ...]] = ("chat", "responses")
_SAID: Final = "The server had an error."
Events = Sequence[bytes]


def _fault(
    name: str,
    change: Callable[[Wire], Events | bytes],
    stream: Expected,
    *,
    kinds: tuple[Kind, ...] = KINDS,
    by_kind: dict[tuple[Kind, bool], Expected] | None = None,
) -> Fault:
    async def play(wire: Wire) -> None:
        changed = change(wire)
        await wire.chunked(*((changed,) if isinstance(changed, bytes) else changed))

    return Fault(name=name, family="events", play=play, stream=stream, kinds=kinds, by_kind=by_kind or {})


def error_of(wire: Wire) -> bytes:
    """The event by which this dialect tells of a failure within a stream."""
    said: dict[str, Any] = {"message": f"{_SAID} {wire.secret}", "type": "server_error"}
    match wire.kind:
        case "messages":
            error = {"type": "overloaded_error", "message": said["message"]}
            return event({"type": "error", "error": error}, "error")
        case "gemini":
            return event({"error": {"code": 503, "message": said["message"], "status": "UNAVAILABLE"}})
        case "responses":
            return event(
                {"type": "error", "sequence_number": 0, "error": {**said, "code": "server_error"}}, "error"
            )
    return event({"error": {**said, "param": None, "code": "server_error"}})


def _begun(wire: Wire) -> tuple[bytes, ...]:
    return wire.good.events[: wire.good.begun]


def _rest(wire: Wire) -> tuple[bytes, ...]:
    return wire.good.events[wire.good.begun :]


def _between(middle: Callable[[Wire], bytes]) -> Callable[[Wire], Events]:
    """A sound stream with something in its middle."""
    return lambda wire: (*_begun(wire), middle(wire), *_rest(wire))


def _each(change: Callable[[bytes], bytes]) -> Callable[[Wire], Events]:
    return lambda wire: tuple(map(change, wire.good.events))


def _cut_event(wire: Wire) -> bytes:
    whole = wire.good.events[wire.good.begun]
    return whole[: len(whole) // 2] + b"\n\n"


def _pieces(size: int) -> Callable[[Wire], Events]:
    return lambda wire: tuple(wire.sound[start : start + size] for start in range(0, len(wire.sound), size))


def _word(replacement: bytes) -> Callable[[Wire], bytes]:
    """The second word of the answer is something else."""
    old = encoded(WORDS[1])[1:-1]
    return lambda wire: wire.sound.replace(b'"' + old + b'"', b'"' + replacement + b'"', 1)


_OVERLOADED: Final[dict[tuple[Kind, bool], Expected]] = {
    ("messages", True): fails("overloaded"),
    ("gemini", True): fails("overloaded"),
}
_BROKEN: Final = breaks("error_event")
_GARBAGE: Final = breaks("garbage")
_READ_ON: Final[dict[tuple[Kind, bool], Expected]] = {("responses", True): breaks("garbage", "bounded")}
"""The rest of what came is still read there, since a failure may tell its usage."""

FAULTS: Final = (
    _fault("error_first", lambda wire: (error_of(wire),), fails(), by_kind=_OVERLOADED),
    _fault("error_in_middle", lambda wire: (*_begun(wire), error_of(wire)), _BROKEN),
    _fault("error_and_more", _between(error_of), _BROKEN, by_kind={("responses", True): breaks("error_event", "bounded")}),
    _fault("error_before_end", lambda w: (w.most, error_of(w)), _BROKEN),
    _fault("error_then_done", lambda w: (*_begun(w), error_of(w), event(b"[DONE]")), _BROKEN, kinds=_OPENAI),
    _fault("error_named_only", lambda w: (*_begun(w), event(b"it broke", "error")), _BROKEN, kinds=("chat", "messages")),
    _fault("html_in_middle", _between(lambda _: event(b"<html>502 Bad Gateway</html>")), _GARBAGE, by_kind=_READ_ON),
    _fault("noise_in_middle", _between(lambda _: event(_NOISE.replace(b"\n", b"x").replace(b"\r", b"x"))), _GARBAGE, by_kind=_READ_ON),
    _fault("cut_json_in_middle", _between(_cut_event), _GARBAGE, by_kind=_READ_ON),
    _fault("zero_bytes_in_middle", _between(lambda _: event(b"\x00" * 100)), _GARBAGE, by_kind=_READ_ON),
    _fault("deep_json_in_middle", _between(lambda _: event(b"[" * 50_000)), _GARBAGE, by_kind=_READ_ON),
    _fault("number_in_middle", _between(lambda _: event(b"7")), _GARBAGE, kinds=("chat",)),
    _fault("ping_objects", _between(lambda _: event({"type": "ping"})), serves()),
    _fault("unknown_type", _between(lambda _: event({"type": "matrix.new", "sequence_number": 1}, "matrix.new")), serves(), kinds=("messages", "responses")),
    _fault("no_events", lambda _: b"", fails()),
    _fault("only_done", lambda _: (event(b"[DONE]"),), fails()),
    _fault("only_comments", lambda _: (b": keep-alive\n\n",) * 20, fails()),
    _fault("only_blank_lines_sse", lambda _: b"\n" * 5_000, fails()),
    _fault("only_pings", lambda _: (b"event: ping\ndata: {}\n\n",) * 20, fails()),
    _fault("no_end_mark", lambda wire: wire.good.events[:-1], serves(), kinds=("chat", "messages")),
    _fault("no_ending", lambda wire: (wire.most,), breaks()),
    _fault("done_too_early", lambda w: (*_begun(w), event(b"[DONE]"), *_rest(w)), serves("bounded", text=False), kinds=("chat",)),
    _fault("done_twice", lambda wire: (*wire.good.events, event(b"[DONE]")), serves()),
    _fault("done_without_blank", lambda wire: (*wire.good.events[:-1], wire.good.events[-1].rstrip()), serves()),
    _fault("whole_stream_twice", lambda wire: (*wire.good.events, *wire.good.events), serves("bounded"), by_kind={("gemini", True): serves("bounded", text=False)}),
    _fault("comments_between", _each(lambda one: b": keep-alive\n\n" + one), serves()),
    _fault("carriage_returns", _each(lambda one: one.replace(b"\n", b"\r\n")), serves()),
    _fault("only_carriage_returns", _each(lambda one: one.replace(b"\n", b"\r")), serves()),
    _fault("no_blank_after_colon", _each(lambda one: one.replace(b"data: ", b"data:", 1)), serves()),
    _fault("id_lines", _each(lambda one: b"id: 1\n" + one), serves()),
    _fault("retry_lines", _each(lambda one: b"retry: 3000\n\n" + one), serves()),
    _fault("empty_events", _each(lambda one: b"data:\n\n" + one), serves()),
    _fault("byte_order_mark", lambda wire: b"\xef\xbb\xbf" + wire.sound, serves()),
    _fault("three_bytes_each", _pieces(3), serves()),
    _fault("one_piece", lambda wire: wire.sound, serves()),
    _fault("word_with_bad_utf8", _word(b"an\xff\xfe\x80swer "), serves(text=False)),
    _fault("word_with_nul", _word(rb"an\u0000swer "), serves(text=False)),
    _fault("word_with_surrogate", _word(rb"an\ud800swer "), serves(text=False)),
    _fault("word_with_raw_nul", _word(b"an\x00swer "), _GARBAGE, by_kind=_READ_ON),
    _fault("event_of_two_megabytes", _between(lambda _: event({"pad": "x" * 2_200_000})), breaks("event_too_long"), kinds=("chat", "messages")),
    _fault("line_of_two_megabytes", _between(lambda _: b": " + b"x" * 2_200_000 + b"\n\n"), breaks("event_too_long"), kinds=("chat", "messages")),
)  # fmt: skip
