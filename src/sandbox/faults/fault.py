"""What a fault is: a name, a sentence, the answers it exists for, and the function that misbehaves."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from sandbox.answer import Answer
from sandbox.exchange import Exchange

Kind = Literal["json", "stream"]
Run = Callable[[Exchange, Answer], Awaitable[None]]


class Fault(msgspec.Struct, frozen=True):
    """`run` sends the answer, or what is to arrive in its place."""

    name: str
    doc: str
    kinds: tuple[Kind, ...]
    run: Run

    def described(self) -> dict[str, Any]:
        return {"name": self.name, "what": self.doc, "for": list(self.kinds)}


def fault(*kinds: Kind) -> Callable[[Run], Fault]:
    """Make a fault of a function: its name is the fault's, its docstring what shows on the wire."""

    def make(run: Run) -> Fault:
        name = getattr(run, "__name__", "")
        return Fault(name, " ".join((run.__doc__ or "").split()), kinds, run)

    return make


both = fault("json", "stream")
json_only = fault("json")
stream_only = fault("stream")
