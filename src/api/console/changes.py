"""What an act has changed, as people read it: fields and values in words where there are some, without units, ids and brackets."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec

from api.console.act_words import FIELDS, SILENT, VALUES
from api.console.field_words import FIELD_WORDS
from api.console.formats import DASH, Formats
from api.console.texts import FIGURES

SHOWN_MAX: Final = 4
_CHARS_MAX: Final = 60
_ID_CHARS: Final = 36
_ID_SHOWN: Final = 8
_RATE: Final = "_nano_per_million"  #: of prices
_UNITS: Final = ("_nano", "_us", "_ppm", "_id")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field: what it was, if it was anything, and what it is."""

    field: str
    before: str
    after: str


class _Said(msgspec.Struct, frozen=True):
    """How one act's values are written."""

    fmt: Formats
    names: Mapping[Any, str]
    currency: str | None
    text: Callable[[str], str]


def changes_of(
    act: Any,
    fmt: Formats,
    names: Mapping[Any, str],
    currency: str | None = None,
    *,
    text: Callable[[str], str] = str,
) -> list[Change]:
    """The first few fields that say something; not what the act is about, which stands beside them.

    `currency`: of amounts of money, where the act itself does not say it. Without one they are no amounts, and are left out.
    """
    before, after = act.before, act.after
    how = _Said(fmt, names, after.get("currency") or before.get("currency") or currency, text)
    telling = [field for field, value in after.items() if field not in SILENT and value != act.subject]
    changes = (
        Change(field=_label(one, how), before=_said(one, before.get(one), how), after=said)
        for one in telling
        if (said := _said(one, after[one], how))
    )
    return list(islice(changes, SHOWN_MAX))


def _label(field: str, how: _Said) -> str:
    """In words; of a field without, its name without the unit where the value is written as people write it."""
    plain = field.removesuffix(_RATE)
    if word := FIELDS.get(plain) or FIELD_WORDS.get(plain) or FIGURES.get(plain):
        return how.text(word)
    units = (*_UNITS, "_minor") if how.currency else _UNITS
    return next((field.removesuffix(unit) for unit in units if field.endswith(unit)), field).replace("_", " ")


def _said(field: str, value: Any, how: _Said) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "✓" if value else DASH
    if isinstance(value, int):
        return _figure(field, value, fmt=how.fmt, currency=how.currency)
    if isinstance(value, dict):
        parts = (
            f"{_label(key, how)} {said}"
            for key, one in value.items()
            if key not in SILENT and (said := _said(key, one, how))
        )
        return _short(", ".join(parts))
    if isinstance(value, list | tuple):
        return _short(", ".join(_said(field, one, how) for one in value))
    known = VALUES.get(field, {}).get(str(value))
    return how.text(known) if known else _text(str(value), how.names)


def _figure(field: str, value: int, *, fmt: Formats, currency: str | None) -> str:
    if field.endswith(("_nano", _RATE)):
        return fmt.money(value)
    if field.endswith("_us"):
        return fmt.minute(value)
    if field.endswith("_minor"):
        return fmt.cash(value, currency) if currency else ""
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
