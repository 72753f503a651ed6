"""Mails that are due are written and handed over, one after the other. Blocking; each worker runs one `Delivery`.

Handed over at most once: see ADR 67. What a crash leaves behind is found by whoever claims the mail next.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from application.clock import Clock
from application.documents.page import PrintingFailed
from application.eventlog import EventLogError
from application.i18n.locales import Locale
from application.mail.letters import AnyLetter
from application.mail.message import Attachment, Letterhead, Message
from application.mail.outbox import Claimed, MailState, Outbox
from application.mail.transport import (
    Envelope,
    MailNotOurs,
    MailRefused,
    MailUnavailable,
    MailUncertain,
    Transport,
)
from application.mail.wording import message_of
from application.vault import VaultError
from domain.privacy import SubjectErased
from domain.refusal import Refusal

ATTEMPTS_MAX: Final = 20
"""With pauses that double from half a minute up to four hours: about two days."""
_SECOND_US: Final = 1_000_000
_REST_US: Final = 300 * _SECOND_US
#: Longer than a transport waits for the answer to the last line.
_HANDING_OVER_US: Final = 900 * _SECOND_US
_PAUSE_US: Final = 30 * _SECOND_US
_PAUSE_US_MAX: Final = 4 * 3600 * _SECOND_US
_MAY_HAVE_ARRIVED: Final = "it was handed over, and no answer came: it may have arrived"

log = structlog.get_logger()


class WriteMail(Protocol):
    """Puts a mail into the form of the wire. The same mail gives the same bytes."""

    def __call__(
        self,
        message: Message,
        claimed: Claimed,
        *,
        to: str,
        letterhead: Letterhead,
        attachments: Sequence[Attachment],
    ) -> bytes: ...


Enclose = Callable[[AnyLetter, Locale], Sequence[Attachment]]
"""The files that go with a letter; raises as `DocumentFiles`."""


class _Done(msgspec.Struct, frozen=True):
    state: MailState
    reason: str = ""


class Delivery:
    """Not for several threads."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        transport: Transport,
        letterhead: Letterhead,
        write: WriteMail,
        enclose: Enclose,
        clock: Clock,
    ) -> None:
        self._outbox, self._transport, self._letterhead = outbox, transport, letterhead
        self._write, self._enclose, self._clock = write, enclose, clock
        self._told: tuple[Claimed, _Done] | None = None  #: what the outbox could not be told of

    def deliver_due(self) -> int:
        """Take one mail that is due; how many there were.

        Raises:
            VaultUnavailable: the outbox cannot be read, or not be told.
        """
        self._tell()
        claimed = self._outbox.claim(now_us=self._clock.now_us(), rest_us=_REST_US)
        if claimed is None:
            return 0
        done = self._delivered(claimed)
        if done is not None:
            self._told = (claimed, done)
            self._tell()
        return 1

    def _tell(self) -> None:
        """Say what became of a mail; kept until it is said, for a mail that left must not be taken for one that may have."""
        if self._told is not None:
            claimed, done = self._told
            self._outbox.settle(claimed, done.state, now_us=self._clock.now_us(), reason=done.reason)
            self._told = None
            if done.state != "sent":
                log.warning(
                    "mail_not_sent", mail_id=str(claimed.mail_id), state=done.state, reason=done.reason
                )

    def _delivered(self, claimed: Claimed) -> _Done | None:
        """What became of it; none while it waits."""
        if claimed.was_handing_over and not self._transport.repeats_safely:
            return _Done("parked", _MAY_HAVE_ARRIVED)
        if claimed.expires_us is not None and claimed.expires_us <= self._clock.now_us():
            return _Done("discarded", "its time was over")
        try:
            envelope = self._envelope(claimed)
        except SubjectErased:
            return _Done("discarded", "whom it is for was erased")
        except Refusal as error:
            return _Done("parked", f"it cannot be written: {error.code}")
        except (PrintingFailed, VaultError, EventLogError) as error:
            return self._postponed(claimed, type(error).__name__)
        return self._handed_over(envelope, claimed)

    def _envelope(self, claimed: Claimed) -> Envelope:
        mail = self._outbox.open(claimed)
        if mail is None:
            raise SubjectErased("whom it is for was erased")
        message = message_of(mail.letter, mail.locale, sender=self._letterhead.name)
        attachments = self._enclose(mail.letter, mail.locale)
        content = self._write(
            message, claimed, to=mail.to, letterhead=self._letterhead, attachments=attachments
        )
        return Envelope(
            name=f"{claimed.queued_us}-{mail.mail_id}.eml",
            sender=self._letterhead.address,
            to=mail.to,
            message=content,
        )

    def _handed_over(self, envelope: Envelope, claimed: Claimed) -> _Done | None:
        try:
            self._transport.hand_over(envelope, commit=lambda: self._mark(claimed))
        except MailNotOurs:
            return None
        except MailRefused as error:
            return _Done("parked", f"the mail server refused it: {error}")
        except MailUncertain as error:
            return _Done("parked", f"{_MAY_HAVE_ARRIVED} ({error})")
        except MailUnavailable as error:
            return self._postponed(claimed, str(error))
        return _Done("sent")

    def _mark(self, claimed: Claimed) -> bool:
        return self._outbox.hand_over(claimed, now_us=self._clock.now_us(), rest_us=_HANDING_OVER_US)

    def _postponed(self, claimed: Claimed, reason: str) -> _Done | None:
        if claimed.attempts >= ATTEMPTS_MAX:
            return _Done("parked", f"given up: {reason}")
        pause_us = min(_PAUSE_US * 2 ** (claimed.attempts - 1), _PAUSE_US_MAX)
        self._outbox.postpone(claimed, until_us=self._clock.now_us() + pause_us, reason=reason)
        log.warning("mail_postponed", mail_id=str(claimed.mail_id), reason=reason)
        return None
