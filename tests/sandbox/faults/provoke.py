"""Asks for one fault and keeps what showed on the wire, beside the answer that should have come.

A family's test holds a table of claims: what a raw socket must see for the fault to deserve its name.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.faults.fault import Fault
from tests.sandbox.conftest import Running
from tests.sandbox.rawclient import Answer

TOKENS = 12  #: of the answer; in a stream one chunk each, so a fault in the middle strikes after 6
HANG_MS = 60
HANG_US_LEAST = 55_000  #: timers go by whole milliseconds, and may be early by one
GOOD: dict[str, Any] = {"tokens": TOKENS}
Claim = Callable[[Answer], None]


def cases(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Every fault with every kind of answer that it exists for."""
    return [(fault.name, kind) for fault in faults for kind in fault.kinds]


def provoke(shared: Running, name: str, kind: str, **script: Any) -> Answer:
    """The answer with the fault; the journal has noted the fault, and the process still gives good answers."""
    fields: dict[str, Any] = (
        {"stream": True, "stream_options": {"include_usage": True}} if kind == "stream" else {}
    )
    bad = shared.chat(script={**GOOD, "fault": name, **script}, **fields)
    bad.good = shared.chat(script=GOOD, **fields)
    assert bad.good.status == 200
    assert bad.good.ended
    assert bad.journal["accepted"]["fault"] == name
    assert bad.journal["accepted"]["stream"] is (kind == "stream")
    return bad


def served(answer: Answer) -> dict[str, Any]:
    return answer.journal["served"]


def whole(answer: Answer) -> None:
    """The right content came, to its end."""
    assert answer.status == 200
    assert answer.ended
    assert answer.text == answer.good.text
    if answer.stream:
        assert answer.done
        assert answer.finishes[-1] == "stop"
    assert served(answer)["complete"] is True
    assert served(answer)["tokens_sent"] == TOKENS


def as_good(answer: Answer) -> None:
    """The right content came, and true usage once."""
    whole(answer)
    assert answer.usages == answer.good.usages
    assert served(answer)["reported"] == answer.usages[0]


def begun(answer: Answer, pieces: int) -> None:
    """A stream that stopped after so many content chunks of the right answer."""
    assert answer.status == 200
    assert answer.pieces == pieces
    assert answer.good.text.startswith(answer.text)
    assert served(answer)["complete"] is False
    assert served(answer)["tokens_sent"] == pieces


def held(answer: Answer) -> None:
    """The connection stayed open for the scripted time before it was cut."""
    took_us = served(answer)["at_us"] - answer.journal["accepted"]["at_us"]
    assert took_us >= HANG_US_LEAST
    assert served(answer)["complete"] is False
