"""Where decisions about members are made: one stream for each account."""

from collections.abc import Callable
from uuid import UUID

from application.command import Done, execute, load
from application.eventlog import EventStore
from domain import members
from domain.members import NO_MEMBERS, MemberEvent, Members, members_stream


def load_members(store: EventStore, account_id: UUID) -> Members:
    """The members of an account at this moment."""
    return load(store, members_stream(account_id), NO_MEMBERS, members.evolve)


def decide_members(
    store: EventStore, account_id: UUID, decide: Callable[[Members], list[MemberEvent]]
) -> Done:
    """Run a decision about them; raises as `execute`."""
    return execute(store, members_stream(account_id), NO_MEMBERS, members.evolve, decide)
