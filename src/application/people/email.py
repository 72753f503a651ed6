"""Mail addresses as people sign in with them: found by a keyed hash, shown only from the envelope in the log."""

import unicodedata
from typing import Final
from uuid import UUID

import msgspec

from application.mail.address import folded
from application.privacy import PersonalData
from domain.keys.secret import SecretHasher
from domain.privacy import Sealed
from domain.refusal import BadField
from domain.text import printable

EMAIL_CHARS_MAX: Final = 254
_PLACE: Final = "person.email"
_CONTEXT: Final = b"person email\0"


def checked_email(email: str) -> str:
    """An address that a person can sign in with, in the plain forms of its letters: what is shown is where mail goes.

    Raises:
        BadField: its form is none of an address.
    """
    plain = unicodedata.normalize("NFKC", email)
    address = printable(plain, field="email", chars_max=EMAIL_CHARS_MAX)
    local, at, host = address.rpartition("@")
    if not (local and at and host) or any(one.isspace() for one in address):
        raise BadField("email", "is no mail address")
    return address


def email_hash(hasher: SecretHasher, email: str) -> bytes:
    """By which an address is found, however its letters were written."""
    return hasher.digest(_CONTEXT + folded(email).encode())


def is_exact(email: str) -> bool:
    """Whether an address that others vouch for is that very one, and not one that only looks like it once it is folded."""
    return folded(email) == email.strip().casefold()


def seal_email(personal: PersonalData, person_id: UUID, email: str) -> Sealed:
    """The envelope for the log; raises as `PersonalData.seal`."""
    return personal.seal(person_id, msgspec.json.encode(email), place=_PLACE)


def open_email(personal: PersonalData, person_id: UUID, pii: Sealed | None) -> str | None:
    """The address; none before there is one, and after an erasure. Raises as `PersonalData.open`."""
    opened = None if pii is None else personal.open(person_id, pii, place=_PLACE)
    return None if opened is None else msgspec.json.decode(opened, type=str)
