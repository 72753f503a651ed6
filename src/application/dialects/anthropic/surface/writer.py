"""Writes content blocks one after another from deltas that may be interleaved.

This dialect has one open block at a time and chat completions have any number of calls that grow side by side. So the
first block that is not whole is written as it grows, and what came after it waits. A text is whole when something else
follows; a call when its arguments are, or at the end. Calls that do not interleave, as is usual, never wait.

Memory: what waits, that is at most the arguments and texts behind a call that is not whole.
"""

from collections import deque
from typing import Final

from application.dialects.anthropic.surface.answer import call_block, text_block
from application.dialects.anthropic.surface.encode import event
from application.dialects.anthropic.surface.json_end import JsonEnd
from application.dialects.anthropic.surface.said import Call, Kind
from application.dialects.port import Json

_DELTAS: Final = {"text": "text_delta", "thinking": "thinking_delta"}


class _Block:
    """A block that is being written, or waits; `pieces` were not written yet."""

    __slots__ = ("_end", "call", "kind", "opened", "pieces")

    def __init__(self, kind: Kind | None, call: Call | None = None) -> None:
        self.kind = kind
        self.call = call  #: as far as it is known, without its arguments
        self.opened = False
        self.pieces: list[str] = []
        self._end = JsonEnd()

    @property
    def whole(self) -> bool:
        return self.call is None or self._end.whole

    def take_arguments(self, text: str) -> None:
        """What follows whole arguments would spoil them, and is dropped."""
        if not self._end.whole:
            self._end.take(text)
            self.pieces.append(text)


class BlockWriter:
    """Takes the texts and calls of one answer in order; each method returns the events that may go on."""

    def __init__(self) -> None:
        self.called = 0  #: calls so far
        self.message_id = ""  #: set before the first block
        self._waiting: deque[_Block] = deque()  # the first one is open, or opens next
        self._index = 0  # of that one
        self._place = 0  # of the next call that opens
        self._calls: dict[int, _Block] = {}
        self._latest: _Block | None = None

    def say(self, kind: Kind, text: str) -> bytes:
        last = self._waiting[-1] if self._waiting else None
        if last is None or last.kind != kind:
            last = _Block(kind)
            self._waiting.append(last)
        last.pieces.append(text)
        return self._write()

    def add(self, call: Call) -> bytes:
        """A call, or a piece of one that was begun."""
        block = self._begun(call)
        if block is None:
            block = _Block(None, call)
            self._waiting.append(block)
            self.called += 1
        self._latest = block
        if call.index is not None:
            self._calls[call.index] = block
        known = block.call or call
        if (call.id and not known.id) or (call.name and not known.name):
            block.call = Call(known.index, known.id or call.id, known.name or call.name, "")
        block.take_arguments(call.arguments)
        return self._write()

    def end(self) -> bytes:
        """Write and close everything."""
        return self._write(last=True)

    def _begun(self, call: Call) -> _Block | None:
        """The call that this piece belongs to. A new id with a name begins a call, even under the index of another."""
        block = self._latest if call.index is None else self._calls.get(call.index)
        if block is None or block.call is None:
            return None
        other = call.id and block.call.id and call.id != block.call.id
        return None if other and (call.name or call.index is None) else block

    def _write(self, *, last: bool = False) -> bytes:
        events: list[bytes] = []
        waiting = self._waiting
        while waiting:
            block = waiting[0]
            if not block.opened and block.call is not None and not (block.call.name or last):
                break  # a block opens with its name
            self._advance(block, events)
            if not last and (len(waiting) == 1 or not block.whole):
                break
            events.append(event({"type": "content_block_stop", "index": self._index}))
            self._index += 1
            waiting.popleft()
        return b"".join(events)

    def _advance(self, block: _Block, events: list[bytes]) -> None:
        """Open the block and write what it has."""
        if not block.opened:
            block.opened = True
            start = {
                "type": "content_block_start",
                "index": self._index,
                "content_block": self._opening(block),
            }
            events.append(event(start))
        text = "".join(block.pieces)
        block.pieces.clear()
        if text:
            events.append(
                event({"type": "content_block_delta", "index": self._index, "delta": _delta(block, text)})
            )

    def _opening(self, block: _Block) -> Json:
        if block.call is None:
            return text_block(block.kind or "text", "")
        place, self._place = self._place, self._place + 1
        return call_block(block.call, message_id=self.message_id, place=place, arguments={})


def _delta(block: _Block, text: str) -> Json:
    if block.kind is None:
        return {"type": "input_json_delta", "partial_json": text}
    return {"type": _DELTAS[block.kind], block.kind: text}
