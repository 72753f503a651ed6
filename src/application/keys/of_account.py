"""Which keys of either kind an account has, or had, by the log alone. For rare work: it reads every control event once."""

from typing import Final
from uuid import UUID

from application.eventlog import EventStore
from domain.keys.events import ApiKeyIssued
from domain.management import ManagementKeyIssued
from domain.topics import REGISTRY

_BATCH_EVENTS: Final = 1_000
_ISSUED: Final = frozenset({ApiKeyIssued.TOPIC, ManagementKeyIssued.TOPIC})


def key_ids_of(store: EventStore, account_id: UUID) -> list[UUID]:
    """In the order of their issue, revoked ones too."""
    found: list[UUID] = []
    position = 0
    while batch := store.read_control(after_position=position, limit=_BATCH_EVENTS):
        issued = (REGISTRY.decode(one.topic, one.state) for one in batch if one.topic in _ISSUED)
        found += [
            one.key_id
            for one in issued
            if isinstance(one, ApiKeyIssued | ManagementKeyIssued) and one.account_id == account_id
        ]
        position = batch[-1].position
    return found
