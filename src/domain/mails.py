"""What operators do about a mail; the stream's id is the mail's. What a mail says, and to whom, is nowhere in the log."""

from typing import ClassVar
from uuid import UUID

from domain.fact import Fact


class MailRetried(Fact, frozen=True, kw_only=True):
    """An operator wants a parked mail to be sent again. It may arrive a second time, under the same Message-ID."""

    TOPIC: ClassVar[str] = "mail.retried.v1"

    mail_id: UUID
    template: str


class MailDiscarded(Fact, frozen=True, kw_only=True):
    """An operator wants a mail never to be sent."""

    TOPIC: ClassVar[str] = "mail.discarded.v1"

    mail_id: UUID
    template: str
    reason: str


MAIL_EVENTS: tuple[type[Fact], ...] = (MailRetried, MailDiscarded)
