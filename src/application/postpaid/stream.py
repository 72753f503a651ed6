"""Where decisions about an account's limit are made: a stream of its own."""

from collections.abc import Callable, Sequence
from uuid import UUID

from application.command import Done, execute, load
from application.eventlog import EventStore
from domain.postpaid.events import PostpaidEvent
from domain.postpaid.postpaid import Postpaid, evolve, postpaid_stream


def load_postpaid(store: EventStore, account_id: UUID) -> Postpaid:
    """What the account may owe, and owes, as it is now."""
    return load(store, postpaid_stream(account_id), Postpaid(), evolve)


def change_postpaid(
    store: EventStore, account_id: UUID, decide: Callable[[Postpaid], Sequence[PostpaidEvent]]
) -> Done:
    """Run a decision about it; raises as `execute`."""
    return execute(store, postpaid_stream(account_id), Postpaid(), evolve, decide)
