"""Rules for names that people type: what would break a log line, a page or the database is refused."""

import re
import unicodedata

from domain.joiners import without_fit_joiners
from domain.refusal import BadField

NAME_CHARS_MAX = 120
REASON_CHARS_MAX = 500
ALIAS_CHARS_MAX = 200

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]*(/[A-Za-z0-9][A-Za-z0-9._:@+-]*)*")


def printable(value: str, *, field: str, chars_max: int = NAME_CHARS_MAX) -> str:
    """`value` without surrounding blanks; free text of one line.

    Raises:
        BadField: it is empty or too long, or has control, format (such as right-to-left override) or
            surrogate characters, or breaks of lines and paragraphs. Invisible joiners stay where they change what is
            read, as in joined emoji or Persian words.
    """
    text = value.strip()
    if not text:
        raise BadField(field, "is empty")
    if len(text) > chars_max:
        raise BadField(field, f"is longer than {chars_max} characters")
    if any(_is_unfit(unicodedata.category(character)) for character in without_fit_joiners(text)):
        raise BadField(field, "has characters that cannot be shown")
    return text


def _is_unfit(category: str) -> bool:
    return category[0] == "C" or category in {"Zl", "Zp"}


def slug(value: str, *, field: str) -> str:
    """A lower-case identifier such as `openai`, at most 63 characters.

    Raises:
        BadField: it is none.
    """
    if not _SLUG.fullmatch(value):
        raise BadField(field, "must be lower-case letters, digits and hyphens, at most 63")
    return value


def alias_name(value: str, *, field: str = "alias") -> str:
    """What a client may write in `model`: letters, digits and `._:@+-`, in parts joined by slashes.

    Raises:
        BadField: it is none, or longer than 200 characters.
    """
    if len(value) > ALIAS_CHARS_MAX or not _ALIAS.fullmatch(value):
        raise BadField(field, "must be letters, digits and ._:@+- in parts joined by '/', at most 200")
    return value
