"""Records what operators do about mails."""

from application.command import Done, append_decided, new_event
from application.eventlog import EventStore, NewEvent
from domain.mails import MailDiscarded, MailRetried


def record(store: EventStore, fact: MailRetried | MailDiscarded) -> Done:
    """Put it behind what was done about the mail before; raises as `append_decided`."""
    version = 0

    def decide() -> list[NewEvent]:
        nonlocal version
        version = len(store.read_stream(fact.mail_id)) + 1
        return [new_event(fact.mail_id, version, fact)]

    position = append_decided(store, decide)
    return Done(version=version, position=position, events=(fact,))
