"""Where decisions about management keys are made, and who they are looked up by."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from application.command import Done, Ports, execute, load
from application.eventlog import EventStore
from application.members.stream import load_members
from domain import management
from domain.management import ManagementEvent, ManagementKey, existing, management_stream
from domain.members import Members
from domain.secret import Secret


class IssuedManagementKey(msgspec.Struct, frozen=True, kw_only=True):
    """A management key with its secret, which is shown this one time and kept nowhere."""

    key_id: UUID
    secret: Secret
    prefix: str
    done: Done


def load_management_key(store: EventStore, key_id: UUID) -> ManagementKey:
    """The key at this moment, or `NotFound`."""
    return existing(load(store, management_stream(key_id), None, management.evolve))


def members_of_key(store: EventStore, key_id: UUID) -> Members:
    """The members of the account whose key it is, or `NotFound`."""
    return load_members(store, load_management_key(store, key_id).account_id)


def decide_management(
    ports: Ports, key_id: UUID, decide: Callable[[ManagementKey | None], list[ManagementEvent]]
) -> Done:
    """Run a decision about one key; raises as `execute`."""
    return execute(ports.store, management_stream(key_id), None, management.evolve, decide)
