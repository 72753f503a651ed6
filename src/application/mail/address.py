"""Mail addresses that mail is really sent to: one mailbox in the plain form, with nothing that a header or an envelope could read
in another way.
"""

import re
import unicodedata
from typing import Final

from domain.refusal import BadField

_LOCAL_CHARS_MAX: Final = 64
_HOST_CHARS_MAX: Final = 253
#: The unquoted form of RFC 5321: no quotes, comments, commas, brackets, blanks or line ends.
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def folded(text: str) -> str:
    """By which two spellings of one address are the same: forms of letters and their case do not count.

    A host is folded before mail goes there, too. The rules of host names leave some letters alone that this makes others of, and whoever
    owned the name with such a letter would get the mails of the name without it.
    """
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def mail_address(text: str, *, field: str = "email") -> str:
    """The address as it goes over the wire, its host in ASCII.

    Raises:
        BadField: it is none, or one in a form that is not used here, such as quoted or with other letters before the @.
    """
    local, at, host = text.strip().rpartition("@")
    try:
        ascii_host = folded(host).encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        ascii_host = ""
    is_local = len(local) <= _LOCAL_CHARS_MAX and _LOCAL.fullmatch(local)
    is_host = 0 < len(ascii_host) <= _HOST_CHARS_MAX and all(
        _LABEL.fullmatch(label) for label in ascii_host.split(".")
    )
    if not (at and is_local and is_host):
        raise BadField(field, "is no address that mail can be sent to")
    return f"{local}@{ascii_host}"
