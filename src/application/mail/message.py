"""What stands in a mail, in the words of its reader's language. Texts only: whoever wrote a name in one cannot change more than that text."""

import msgspec

from application.i18n.locales import Locale


class Button(msgspec.Struct, frozen=True):
    """Something to do, and where."""

    label: str
    link: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A mail. The subject is in our own words and numbers: never a name that somebody else has chosen."""

    locale: Locale
    subject: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()  #: what, and its value
    buttons: tuple[Button, ...] = ()
    notes: tuple[str, ...] = ()
    link_note: str  #: stands before a link that is written out
    sender: str  #: whose mail it is, as its address says
    closing: str


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with it. The name is ours: ASCII, without blanks."""

    name: str
    content: bytes


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """From whom mails are."""

    name: str
    address: str
