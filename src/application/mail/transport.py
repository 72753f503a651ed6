"""Port to the way that mails leave by.

`MailError` is the base of what it raises:

    MailUnavailable  not taken; try again later
    MailRefused      not taken, and never will be
    MailUncertain    all of it was given, and no answer came: it may have arrived
    MailNotOurs      another holds the mail: nothing was given
"""

from collections.abc import Callable
from typing import Protocol

import msgspec


class MailError(Exception):
    """Base. The message is for operators: codes and names of errors, never an address or what a mail says."""


class MailUnavailable(MailError):
    """The next server is away, or does not want it now; it does not have it."""


class MailRefused(MailError):
    """The next server will not take it; it does not have it."""


class MailUncertain(MailError):
    """The next server was given all of it and did not answer."""


class MailNotOurs(MailError):
    """The mark was refused; the next server does not have it."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A mail on the wire."""

    name: str  #: of the file, where mails are files; follows from the mail
    sender: str
    to: str
    message: bytes

    def __repr__(self) -> str:
        return f"Envelope({self.name})"


class Transport(Protocol):
    """Blocking, for minutes at worst; safe to use from threads."""

    @property
    def repeats_safely(self) -> bool:
        """Whether handing over the same mail twice is as good as once."""
        ...

    def hand_over(self, envelope: Envelope, *, commit: Callable[[], bool]) -> None:
        """Give a mail to the next server. `commit` is called once, when nothing but the last word is left to be said.

        Raises:
            MailUnavailable, MailRefused, MailUncertain: see there.
            MailNotOurs: `commit` said no.
            Others: whatever `commit` raises; the next server does not have it then.
        """
        ...
