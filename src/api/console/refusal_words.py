"""What is said beside the sentence of a refusal's code: which field it is, and why, in the visitor's language.

What nobody has words for is not said: the API and the command line have it, and people have the sentence of the code.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

from api.admin.codes import BadRequest
from api.console.field_words import FIELD_WORDS
from api.console.formats import Formats
from api.console.reason_words import known
from api.console.texts import N_
from api.console.unreadable import Unreadable
from domain.refusal import AlreadyExists, BadField, NotFound

_FIELD_AND_REASON: Final = N_("%(field)s: %(reason)s")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_PLACE: Final = re.compile(r"- at `\$.*?(\w+)(?:\[[^`]*\])?`$")
_HOUR_S: Final = 3_600


def detail_of(error: Exception, *, text: Callable[[str], str], fmt: Formats) -> str:
    """Empty for what has no words; `text` looks one up in the visitor's language."""
    if isinstance(error, AlreadyExists | NotFound):
        return _name(error.name)
    place = _place(error)
    said = known(place[1]) if place is not None else None
    if place is None or said is None:
        return ""
    field, (template, found) = place[0].rpartition(".")[2], said
    figures = dict(_figure(group, value, field, fmt) for group, value in found.items())
    reason = text(template) % figures
    word = FIELD_WORDS.get(field)
    return reason if word is None else text(_FIELD_AND_REASON) % {"field": text(word), "reason": reason}


def _place(error: Exception) -> tuple[str, str] | None:
    """The field and the reason."""
    if isinstance(error, BadField | Unreadable):
        return error.field, error.reason
    if isinstance(error, BadRequest):
        if missing := _MISSING.search(str(error)):
            return missing[1], "is missing"
        if place := _PLACE.search(str(error)):
            return place[1], "cannot be read"
    return None


def _figure(group: str, value: str, field: str, fmt: Formats) -> tuple[str, str]:
    """As the form takes it: credits, percent and hours, not units of the ledger."""
    name, _, kind = group.partition("_")
    if not value.isdecimal():
        return name, value
    if kind == "share" or field.endswith("_ppm"):
        return name, fmt.plain_percent(int(value))
    if field.endswith("_nano"):
        return name, fmt.plain_credits(int(value))
    if field == "overlap_s":
        return name, fmt.number(int(value) // _HOUR_S)
    return name, fmt.number(int(value))


def _name(name: str) -> str:
    """Of what is there already or is missing; an id says nothing to people."""
    with suppress(ValueError):
        UUID(name)
        return ""
    return name
