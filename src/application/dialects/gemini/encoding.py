"""Writes values that came out of an upstream's JSON as JSON again, whatever they are."""

from typing import Any

import msgspec


def written(value: Any) -> bytes | None:
    """`value` as JSON; `None` if it is nested too deep or has a number that no JSON has. Never raises."""
    try:
        return msgspec.json.encode(value)
    except (RecursionError, OverflowError, ValueError):
        return None
