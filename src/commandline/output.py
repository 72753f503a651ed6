"""What the command line prints: one JSON value with `--json`, else lines for people; errors on one line with a code."""

import sys
from collections.abc import Sequence
from typing import Any

import msgspec


def show(value: object, *, as_json: bool, text: str | None = None) -> None:
    """Print a result to standard output; `text` is how people read it, where its fields do not say it well."""
    plain = msgspec.to_builtins(value)
    if as_json:
        sys.stdout.write(msgspec.json.encode(plain).decode() + "\n")
    elif text is not None:
        sys.stdout.write(text)
    elif isinstance(plain, dict):
        _show_fields(plain)
    elif isinstance(plain, Sequence) and not isinstance(plain, str):
        for number, one in enumerate(plain):
            sys.stdout.write("\n" if number else "")
            _show_fields(one if isinstance(one, dict) else {"": one})
    else:
        sys.stdout.write(f"{plain}\n")


def fail(code: str, message: str, *, as_json: bool) -> None:
    """Print an error to standard error, on one line."""
    words = " ".join(message.split())
    text = msgspec.json.encode({"code": code, "detail": words}).decode() if as_json else f"{code}: {words}"
    sys.stderr.write(f"{text}\n")


def _show_fields(fields: dict[str, Any]) -> None:
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        words = msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
        sys.stdout.write(f"{name:{width}}  {'-' if words is None else words}\n")
