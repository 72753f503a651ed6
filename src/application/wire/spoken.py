"""Gathers the text of an answer, for a local count of its tokens where the upstream reports none.

Memory is constant: text is kept up to `TEXT_BYTES_MAX`, and of what comes after only its length. The count of an answer
that is longer is the count of the kept text, scaled by characters; the kept text is the beginning, some 8,000 tokens.
"""

from typing import Any, Final

import msgspec

from application.wire.chunk import Said

TEXT_BYTES_MAX: Final = 32 * 1024


class SpokenText(msgspec.Struct, frozen=True):
    """The text that was gathered: `text` stands for `chars_total` characters."""

    text: str
    chars_total: int

    def scaled(self, tokens: int) -> int:
        """Tokens of the whole answer, when the kept text has `tokens`; rounded up."""
        kept = len(self.text)
        return tokens if kept == 0 else -(-tokens * self.chars_total // kept)


class Spoken:
    """Takes the pieces of one answer. Whoever adds calls `fold` every few kilobytes: a piece costs fifty bytes more."""

    __slots__ = ("_chars", "_kept", "_room", "add", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.add = self.pieces.append
        self._kept: list[bytes] = []
        self._room = TEXT_BYTES_MAX
        self._chars = 0

    def add_said(self, said: Said) -> None:
        """Everything in a message or delta that the model generated."""
        content = said.content
        if content:
            self.add(content if isinstance(content, str) else parts_text(content))
        self.add_rest(said)

    def add_rest(self, said: Said) -> None:
        """As `add_said`, without `content`. Some providers send the same thought under two names: it counts once."""
        self.add(said.reasoning_content or said.reasoning or "")
        for call in said.tool_calls or ():
            if call.function is not None:
                self.add((call.function.name or "") + (call.function.arguments or ""))
        self.add(said.refusal or "")
        if said.function_call is not None:
            self.add((said.function_call.name or "") + (said.function_call.arguments or ""))
        if said.audio is not None:
            self.add(said.audio.transcript or "")

    def fold(self) -> None:
        """Join the pieces into what is kept, or only count them where that is full."""
        text = "".join(self.pieces)
        self.pieces.clear()
        self._chars += len(text)
        if not self._room:
            return
        piece = text.encode("utf-8", "replace")
        if len(piece) > self._room:
            piece = piece[: self._room].decode("utf-8", "ignore").encode()
            self._room = 0
        else:
            self._room -= len(piece)
        self._kept.append(piece)

    def text(self) -> SpokenText:
        self.fold()
        return SpokenText(b"".join(self._kept).decode(), self._chars)


def parts_text(parts: list[Any]) -> str:
    """The text in content parts, however deep: `{type, text}` and `{type, thinking: [{type, text}]}`."""
    texts: list[str] = []
    waiting: list[Any] = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, dict):
            waiting.extend(part[name] for name in ("thinking", "text") if name in part)
    return "".join(texts)
