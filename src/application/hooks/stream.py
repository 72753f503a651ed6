"""Where decisions about endpoints are made."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from application.command import Done, execute, load
from application.eventlog import EventStore
from domain.hooks import endpoint as rules
from domain.hooks.endpoint import Endpoint, endpoint_stream
from domain.hooks.events import EndpointEvent
from domain.secret import Secret


class EndpointSecret(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with the secret that signs its messages, which is shown this one time."""

    endpoint_id: UUID
    secret: Secret
    done: Done


def load_endpoint(store: EventStore, endpoint_id: UUID) -> Endpoint:
    """One that is not removed, or `NotFound`."""
    return rules.existing(load(store, endpoint_stream(endpoint_id), None, rules.evolve))


def decide_endpoint(
    store: EventStore, endpoint_id: UUID, decide: Callable[[Endpoint | None], list[EndpointEvent]]
) -> Done:
    """Run a decision about one; raises as `execute`."""
    return execute(store, endpoint_stream(endpoint_id), None, rules.evolve, decide)
