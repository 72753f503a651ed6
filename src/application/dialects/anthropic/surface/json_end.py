"""Tells when a JSON object that comes in pieces is whole, without keeping it."""

import re
from typing import Final

_MARKS: Final = re.compile(r'["\\{}\[\]]')


class JsonEnd:
    """Takes the pieces of one object."""

    __slots__ = ("_depth", "_escaped", "_in_string", "whole")

    def __init__(self) -> None:
        self.whole = False  #: every bracket was closed: no piece that follows belongs to it
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the next character, whatever it is

    def take(self, text: str) -> None:
        if not text:
            return
        skipped = 1 if self._escaped else 0
        self._escaped = False
        for match in _MARKS.finditer(text, skipped):
            if match.start() < skipped:
                continue
            mark = match.group()
            if mark == "\\":
                skipped = match.end() + 1
                self._escaped = skipped > len(text)
            elif mark == '"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._nest(mark)

    def _nest(self, mark: str) -> None:
        self._depth += 1 if mark in "{[" else -1
        self.whole = self.whole or self._depth <= 0
