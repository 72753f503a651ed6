"""What `tokenok up` shows while it starts and runs: ticks on a terminal, plain lines otherwise."""

import contextlib
import time
from collections.abc import Iterator
from typing import TextIO

_NAME_WIDTH = 26


class Step:
    """One thing being done. `detail` may be set while it is done, and is shown behind its name."""

    def __init__(self) -> None:
        self.detail = ""


class Screen:
    """Writes to `out`. `is_terminal` lines are redrawn; colour is used there only, unless `NO_COLOR` was asked for."""

    def __init__(self, out: TextIO, *, is_terminal: bool, has_colour: bool = True) -> None:
        self._out = out
        self._is_terminal = is_terminal
        self._has_colour = has_colour and is_terminal
        self._is_after_blank = False
        plain = not (out.encoding or "").lower().replace("-", "").startswith("utf")
        self._done, self._failed, self._busy = ("ok", "!!", "..") if plain else ("✓", "✗", "…")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        step, started = Step(), time.monotonic()
        if self._is_terminal:
            self._out.write(f"  {self._busy} {name}")
            self._out.flush()
        try:
            yield step
        except BaseException:
            self._end(self._colour("31", self._failed), name)
            raise
        duration = f"{time.monotonic() - started:.1f} s"
        self._end(
            self._colour("32", self._done), f"{name:<{_NAME_WIDTH}} {duration:>7}  {step.detail}".rstrip()
        )

    def line(self, text: str) -> None:
        self._is_after_blank = text.endswith("\n")
        self._out.write(f"{text}\n")
        self._out.flush()

    def notice(self, text: str) -> None:
        """Something the operator should know; nothing is wrong with the start itself."""
        self.line(f"  {self._colour('33', '!')} {text}")

    def failure(self, text: str) -> None:
        gap = "" if self._is_after_blank else "\n"
        self.line(f"{gap}{self._colour('31', 'tokenok: ')}{text}")

    def _end(self, mark: str, text: str) -> None:
        self.line(f"\r\x1b[2K  {mark} {text}" if self._is_terminal else f"  {mark} {text}")

    def _colour(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._has_colour else text
