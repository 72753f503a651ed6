"""Puts the arguments of one function call together that are streamed in pieces (`partialArgs`).

We do not ask for such streams; a provider or proxy may send them. A piece names a place by JSONPath and holds a value or
the next part of a text. Size is bounded: what grows beyond is no call any more.
"""

import re
from itertools import pairwise
from typing import Any, Final

from application.dialects.port import Json

CHARS_MAX: Final = 1024 * 1024
PIECES_MAX: Final = 100_000
_STEPS_MAX: Final = 32
_STEP: Final = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,6})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]""")
_VALUES: Final = ("stringValue", "numberValue", "boolValue", "nullValue")

Step = str | int


class PartialCall:
    """One call. `broken`: its arguments cannot be trusted."""

    def __init__(self, function: Json) -> None:
        self.first = function  #: as it began, with name and id
        self.broken = False
        self._args: Json = {}
        self._chars = 0
        self._pieces = 0

    @property
    def args(self) -> Json:
        return self._args

    def add(self, pieces: Any) -> None:
        """Take the `partialArgs` of one part."""
        for piece in pieces if type(pieces) is list else ():
            self._pieces += 1
            steps = _steps(piece.get("jsonPath")) if type(piece) is dict else None
            if steps is None or self._pieces > PIECES_MAX or not self._put(steps, piece):
                self.broken = True
                return

    def _put(self, steps: list[Step], piece: Json) -> bool:
        kinds = [kind for kind in _VALUES if kind in piece]
        if len(kinds) != 1:
            return False
        value = None if kinds[0] == "nullValue" else piece[kinds[0]]
        self._chars += len(value) if type(value) is str else 1
        holder = self._holder(steps)
        if holder is None or self._chars > CHARS_MAX:
            return False
        held = _at(holder, steps[-1])
        if type(held) is str and type(value) is str:
            value = held + value
        return _set(holder, steps[-1], value)

    def _holder(self, steps: list[Step]) -> Json | list[Any] | None:
        """The object or array that the last step is in, made where it is not there yet."""
        holder: Json | list[Any] = self._args
        for step, following in pairwise(steps):
            held = _at(holder, step)
            if held is None:
                held = [] if type(following) is int else {}
                if not _set(holder, step, held):
                    return None
            if type(held) is not (list if type(following) is int else dict):
                return None
            holder = held
        return holder


def _steps(path: Any) -> list[Step] | None:
    """`$.a[0].b` as its steps, of which the first is a name."""
    if type(path) is not str or not path.startswith("$"):
        return None
    steps: list[Step] = []
    end = 1
    while end < len(path):
        found = _STEP.match(path, end)
        if found is None or len(steps) == _STEPS_MAX:
            return None
        steps.append(int(found[2]) if found[2] else found[1] or found[3] or found[4] or "")
        end = found.end()
    return steps if steps and type(steps[0]) is str else None


def _at(holder: Json | list[Any], step: Step) -> Any:
    if type(holder) is dict and type(step) is str:
        return holder.get(step)
    if type(holder) is list and type(step) is int and step < len(holder):
        return holder[step]
    return None


def _set(holder: Json | list[Any], step: Step, value: Any) -> bool:
    """Arrays grow by one: a place beyond that is refused."""
    if type(holder) is dict and type(step) is str:
        holder[step] = value
    elif type(holder) is list and type(step) is int and step <= len(holder):
        holder[step : step + 1] = [value]
    else:
        return False
    return True
