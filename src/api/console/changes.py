"""What an act has changed, as people read it: the log's fields and values without units, ids and brackets where there are words for them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from api.console.formats import DASH, Formats

SHOWN_MAX: Final = 4
_CHARS_MAX: Final = 60
_ID_CHARS: Final = 36
_ID_SHOWN: Final = 8
_UNITS: Final = ("_nano", "_us", "_ppm", "_id")
_SILENT: Final = {"exponent"}  #: what only says how another field is written


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field: what it was, if it was anything, and what it is."""

    field: str
    before: str
    after: str


def changes_of(act: Any, fmt: Formats, names: Mapping[Any, str]) -> list[Change]:
    """The first few fields that say something; not what the act is about, which stands beside them."""
    before, after = act.before, act.after
    currency = after.get("currency") or before.get("currency")

    def said(field: str, value: Any) -> str:
        return _said(field, value, fmt=fmt, names=names, currency=currency)

    nothing: tuple[Any, ...] = (None, "", [], {}, act.subject)
    telling = [field for field, value in after.items() if field not in _SILENT and value not in nothing]
    return [
        Change(field=_label(one, currency), before=said(one, before.get(one)), after=said(one, after[one]))
        for one in telling[:SHOWN_MAX]
    ]


def _label(field: str, currency: str | None) -> str:
    """Without the unit, where the value is written as people write it."""
    units = (*_UNITS, "_minor") if currency else _UNITS
    return next((field.removesuffix(unit) for unit in units if field.endswith(unit)), field).replace("_", " ")


def _said(field: str, value: Any, *, fmt: Formats, names: Mapping[Any, str], currency: str | None) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "✓" if value else DASH
    if isinstance(value, int):
        return _figure(field, value, fmt=fmt, currency=currency)
    if isinstance(value, dict):
        parts = (
            f"{_label(key, currency)} {_said(key, one, fmt=fmt, names=names, currency=currency)}"
            for key, one in value.items()
        )
        return _short(", ".join(parts))
    if isinstance(value, list | tuple):
        return _short(", ".join(_said(field, one, fmt=fmt, names=names, currency=currency) for one in value))
    return _text(str(value), names)


def _figure(field: str, value: int, *, fmt: Formats, currency: str | None) -> str:
    if field.endswith("_nano"):
        return fmt.money(value)
    if field.endswith("_us"):
        return fmt.minute(value)
    if field.endswith("_minor") and currency:
        return fmt.cash(value, currency)
    if field.endswith("_ppm"):
        return fmt.percent(value / 1_000_000)
    return fmt.number(value)


def _text(value: str, names: Mapping[Any, str]) -> str:
    if len(value) != _ID_CHARS:
        return _short(value)
    try:
        known = names.get(value) or names.get(UUID(value))
    except ValueError:
        return value
    return known or f"{value[:_ID_SHOWN]}…"


def _short(text: str) -> str:
    return text if len(text) <= _CHARS_MAX else f"{text[: _CHARS_MAX - 1]}…"
