"""Reads the log for facts that somebody gets a mail about, and puts the mails into the outbox.

A mail's id follows from its fact, so what is read twice, after a crash or by two workers, is sent once.
"""

from typing import Final, Protocol

import msgspec
import structlog

from application.clock import Clock
from application.eventlog import EventStore, RecordedEvent
from application.mail.occasions import TOPICS, Writer
from application.mail.outbox import Outbox
from application.mail.send import send
from domain.privacy import SubjectErased
from domain.refusal import Refusal
from domain.topics import REGISTRY

_AT_ONCE: Final = 500

log = structlog.get_logger()


class Bookmark(Protocol):
    """How far the log was read. Blocking; raises `VaultUnavailable` when the database is away."""

    def read(self) -> int | None:
        """The position; none before anything was read."""
        ...

    def move(self, position: int) -> None:
        """Go on to it; never back."""
        ...


class MailFollower(msgspec.Struct, frozen=True, kw_only=True):
    """What following works with."""

    store: EventStore
    bookmark: Bookmark
    writer: Writer
    outbox: Outbox
    clock: Clock

    def follow(self) -> int:
        """Take what is new, as far as one batch goes; how many events there were.

        Where mail is new, it begins at the end of the log: nobody gets mails about the past.

        Raises:
            LogUnavailable, VaultError: what was put stays put; go on later.
            UnknownTopic: the log is newer than this code.
        """
        position = self.bookmark.read()
        if position is None:
            self.bookmark.move(self.store.head_position())
            return 0
        events = self.store.read_control(after_position=position, limit=_AT_ONCE)
        for one in events:
            if one.topic in TOPICS:
                self._put(one)
        if events:
            self.bookmark.move(events[-1].position)
        return len(events)

    def _put(self, recorded: RecordedEvent) -> None:
        event = REGISTRY.decode(recorded.topic, recorded.state)
        try:
            for mail in self.writer.mails_about(event, recorded.stream_id):
                send(mail, outbox=self.outbox, clock=self.clock)
        except SubjectErased:
            return
        except Refusal as error:  # such as an address that mail cannot be sent to
            log.warning("mail_not_put", topic=recorded.topic, code=error.code)
