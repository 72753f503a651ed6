"""Keeps the pieces of tool calls in a stream apart and in one form: the first says id, type and name, the others add text.

Some providers say the name in every piece, and some give parallel calls, which differ in their ids, the same index.
"""

from typing import Final

from application.dialects.openai.document import Json

_CALLS_MAX: Final = 1_024
_KINDS: Final = ("function", "custom")


class CallPieces:
    """The calls of one stream, by choice and by the index that the provider gave."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[str, int]] = {}  # the id, and our index
        self._counts: dict[int, int] = {}  # calls of each choice

    def piece(self, choice: int, call: Json) -> Json:
        """The piece for the client; `call` is canonical."""
        key = (choice, call["index"])
        name = call.get("id", "")
        known = self._known.get(key)
        if known is None or (name and known[0] and name != known[0]):
            if len(self._known) >= _CALLS_MAX:
                return call
            ours = self._counts.get(choice, 0)
            self._counts[choice] = ours + 1
            self._known[key] = (name, ours)
            return {**call, "index": ours}
        piece: Json = {"index": known[1]}
        for kind in _KINDS:
            if kind in call:
                piece[kind] = {each: value for each, value in call[kind].items() if each != "name"}
        for extra in call.keys() - {"index", "id", "type", *_KINDS}:
            piece[extra] = call[extra]
        return piece
