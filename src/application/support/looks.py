"""Who has looked into a workspace, when and why: for the customer whose it is."""

from uuid import UUID

import msgspec

from application.eventlog import EventStore
from domain.support import SupportAccessBegun, SupportAccessEnded, support_stream
from domain.topics import REGISTRY


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `until_us`: when it was left, or when it is over by itself."""

    operator_id: UUID
    reason: str
    begun_us: int
    until_us: int


def looks_into(store: EventStore, account_id: UUID, *, limit: int | None = 50) -> list[Look]:
    """The newest ones, newest first; all of them without a limit. Blocking."""
    looks: dict[UUID, Look] = {}
    for recorded in store.read_stream(support_stream(account_id)):
        fact = REGISTRY.decode(recorded.topic, recorded.state)
        if isinstance(fact, SupportAccessBegun):
            looks[fact.access_id] = Look(
                operator_id=fact.operator_id,
                reason=fact.reason,
                begun_us=fact.occurred_us,
                until_us=fact.expires_us,
            )
        elif isinstance(fact, SupportAccessEnded):
            looks[fact.access_id] = msgspec.structs.replace(looks[fact.access_id], until_us=fact.occurred_us)
    return list(reversed(looks.values()))[:limit]
