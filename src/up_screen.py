"""What `tokenok up` shows: ticks on a terminal, plain lines otherwise, and at the end how to use it."""

import contextlib
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import TextIO

from up_secrets import Demo

_NANO = Decimal(1_000_000_000)
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
        self._out.write(f"{text}\n")
        self._out.flush()

    def notice(self, text: str) -> None:
        """Something the operator should know; nothing is wrong with the start itself."""
        self.line(f"  {self._colour('33', '!')} {text}")

    def failure(self, text: str) -> None:
        self.line(f"\n{self._colour('31', 'tokenok: ')}{text}")

    def _end(self, mark: str, text: str) -> None:
        self.line(f"\r\x1b[2K  {mark} {text}" if self._is_terminal else f"  {mark} {text}")

    def _colour(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._has_colour else text


def banner(*, origin: str, demo: Demo | None, model: str, logs: str) -> str:
    """Addresses, secrets and two requests that work as printed: nothing in them is indented."""
    head = f"\nTokenok is ready.\n\n  Console    {origin}/\n  API        {origin}/v1\n"
    foot = f"\nLogs are in {logs}. Ctrl-C stops everything."
    if demo is None:
        return f"{head}{foot}"
    if not demo.api_key or not demo.operator_token:
        return (
            f"{head}\nThe demo's key and operator token were told to another data directory, and nobody can tell them "
            f"again: issue new ones with `tokenok`, or begin anew with --reset.\n{foot}"
        )
    return f"""{head}  Operator   {demo.operator_token}   (signs in to the console and /api/admin)
  Account    {demo.account_id}   ({_credits(demo.credits_nano)} demo credits)
  API key    {demo.api_key}

A first request:

curl {origin}/v1/chat/completions \\
  -H "Authorization: Bearer {demo.api_key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

The same with the official SDK (pip install openai):

from openai import OpenAI

client = OpenAI(base_url="{origin}/v1", api_key="{demo.api_key}")
answer = client.chat.completions.create(
    model="{model}", messages=[{{"role": "user", "content": "Hello!"}}]
)
print(answer.choices[0].message.content)
{foot}"""


def _credits(amount_nano: int) -> str:
    """At least two decimals, and no more than the amount has."""
    value = Decimal(amount_nano) / _NANO
    exact = value.normalize()
    return f"{value:,.2f}" if value == value.quantize(Decimal("0.01")) else f"{exact:,f}"
