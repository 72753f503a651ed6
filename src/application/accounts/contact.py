"""Whom to write to about an account: personal data, in the log only as an envelope."""

import msgspec

from application.privacy import PersonalData
from domain.accounts import Account, AccountContactSet
from domain.privacy import Sealed
from domain.refusal import BadField
from domain.text import printable

_EMAIL_CHARS_MAX = 254
_PLACE = AccountContactSet.TOPIC


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the envelope. Shows nothing of it in a log or a traceback."""

    contact_name: str
    email: str

    def __repr__(self) -> str:
        return "Contact(***)"


def checked_contact(contact_name: str, email: str) -> Contact:
    """A contact that mail can be sent to, as far as its form tells.

    Raises:
        BadField: it cannot be used.
    """
    name = printable(contact_name, field="contact_name")
    address = printable(email, field="email", chars_max=_EMAIL_CHARS_MAX)
    local, at, host = address.rpartition("@")
    if not (local and at and host) or " " in address:
        raise BadField("email", "is no mail address")
    return Contact(contact_name=name, email=address)


def seal_contact(personal: PersonalData, account: Account, contact: Contact) -> Sealed:
    """The envelope for the log; raises as `PersonalData.seal`."""
    return personal.seal(account.account_id, msgspec.json.encode(contact), place=_PLACE)


def contact_of(personal: PersonalData, account: Account) -> Contact | None:
    """The present contact; none if there is none, or none any more. Raises as `PersonalData.open`."""
    if account.contact is None:
        return None
    opened = personal.open(account.account_id, account.contact, place=_PLACE)
    return None if opened is None else msgspec.json.decode(opened, type=Contact)
