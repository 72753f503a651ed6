"""Port to the outbox: mails that wait to be sent, sealed with the key of whom they are for, and what became of those that were.

A mail's id is its own: putting the same id again does nothing, so whoever derives it from a fact sends one mail for it. A row moves
`waiting -> handing_over -> sent`; what cannot be sent is `parked` for an operator, what must not be sent any more is `discarded`.
"""

from typing import Literal, Protocol
from uuid import UUID

import msgspec

from application.i18n.locales import Locale
from application.mail.letters import AnyLetter

MailState = Literal["waiting", "handing_over", "sent", "parked", "discarded"]


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One letter to one address."""

    mail_id: UUID
    subject_id: UUID  #: whose personal data it is; erased with them
    to: str
    locale: Locale
    letter: AnyLetter
    expires_us: int | None = None  #: not sent any more from then on

    def __repr__(self) -> str:
        return f"Mail({self.mail_id})"


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to be sent now; others leave it alone for a while. `claim` is a fence: only its holder can hand the mail over."""

    mail_id: UUID
    claim: int
    attempts: int  #: this one included
    queued_us: int
    expires_us: int | None
    was_handing_over: (
        bool  #: an earlier holder died, or was not answered, when all of it was given to the next server
    )


class QueuedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as an operator sees it: nothing of what it says, nor of whom it is to."""

    mail_id: UUID
    template: str
    locale: str
    subject_id: UUID
    state: MailState
    reason: str
    attempts: int
    queued_us: int
    next_us: int  #: when it is tried next, if it waits
    sent_us: int | None


class MailPage(msgspec.Struct, frozen=True, kw_only=True):
    """Mails, newest first. `next_before` is the `before` of the next page; `None` on the last."""

    items: tuple[QueuedMail, ...]
    next_before: str | None


class Outbox(Protocol):
    """Blocking; safe to use from threads. Every method raises `VaultUnavailable` when the database is away; nothing was done then."""

    def put(self, mail: Mail, *, now_us: int) -> bool:
        """Keep it, to be sent; false if its id is known. When this returns, it is durable.

        Raises:
            SubjectErased: whom it is for was erased.
        """
        ...

    def find(self, mail_id: UUID) -> QueuedMail | None: ...

    def page(
        self, *, state: MailState | None = None, before: str | None = None, limit: int = 100
    ) -> MailPage: ...

    def claim(self, *, now_us: int, rest_us: int) -> Claimed | None:
        """The mail that has been due longest; whoever dies with it gives it back after `rest_us`."""
        ...

    def open(self, claimed: Claimed) -> Mail | None:
        """What it says; none once whom it is for was erased.

        Raises:
            VaultDamaged, MasterKeyMissing: it cannot be read now.
        """
        ...

    def hand_over(self, claimed: Claimed, *, now_us: int, rest_us: int) -> bool:
        """Note that the next server has all but the last byte; false: another holds the mail, or it is not to be sent."""
        ...

    def postpone(self, claimed: Claimed, *, until_us: int, reason: str) -> None:
        """Try it again then. Does nothing for one who does not hold it any more."""
        ...

    def settle(self, claimed: Claimed, state: MailState, *, now_us: int, reason: str = "") -> None:
        """Note what became of it; what it says is dropped, unless it is parked. Does nothing for one who does not hold it any more."""
        ...

    def retry(self, mail_id: UUID, *, now_us: int) -> bool:
        """Make a parked mail wait again; false if it is not parked."""
        ...

    def discard(self, mail_id: UUID, *, now_us: int, reason: str) -> bool:
        """Let a mail that was not sent never be; false if it is sent, being handed over, or discarded."""
        ...
