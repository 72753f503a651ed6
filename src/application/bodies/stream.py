"""Where decisions about an account's bodies are made: a stream beside the account's own."""

from collections.abc import Callable
from uuid import UUID

from application.command import Done, execute
from application.eventlog import EventStore
from domain import bodies
from domain.bodies import BodyEvent, BodyLogging
from domain.ids import stream_of


def decide_bodies(
    store: EventStore, account_id: UUID, decide: Callable[[BodyLogging], list[BodyEvent]]
) -> Done:
    """Run a decision; raises as `execute`."""
    return execute(store, stream_of(account_id, "bodies"), BodyLogging(), bodies.evolve, decide)
