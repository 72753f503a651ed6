"""Facts about endpoints: where a customer wants to be told of what. Secrets are in the vault, by their version."""

from typing import ClassVar
from uuid import UUID

from domain.event import Event
from domain.fact import Fact


class EndpointRegistered(Fact, frozen=True, kw_only=True):
    """From here on an account is told of what happens, at this address."""

    TOPIC: ClassVar[str] = "endpoint.registered.v1"

    endpoint_id: UUID
    account_id: UUID
    url: str
    kinds: tuple[str, ...]  #: of messages; none: all
    secret_version: int


class EndpointChanged(Fact, frozen=True, kw_only=True):
    """Another address or other kinds; what waits goes to the new address."""

    TOPIC: ClassVar[str] = "endpoint.changed.v1"

    endpoint_id: UUID
    url: str
    kinds: tuple[str, ...]


class EndpointSecretRotated(Fact, frozen=True, kw_only=True):
    """Messages are signed with a new secret, and until `overlap_until_us` with the one before too."""

    TOPIC: ClassVar[str] = "endpoint.secret-rotated.v1"

    endpoint_id: UUID
    secret_version: int
    overlap_until_us: int


class EndpointDisabled(Fact, frozen=True, kw_only=True):
    """Nothing is sent; what happens is kept for it."""

    TOPIC: ClassVar[str] = "endpoint.disabled.v1"

    endpoint_id: UUID
    account_id: UUID
    reason: str


class EndpointEnabled(Fact, frozen=True, kw_only=True):
    """What waits is sent, and what comes."""

    TOPIC: ClassVar[str] = "endpoint.enabled.v1"

    endpoint_id: UUID


class EndpointReplayed(Fact, frozen=True, kw_only=True):
    """What was sent is sent again: one message, or all of this position and behind it that are still kept."""

    TOPIC: ClassVar[str] = "endpoint.replayed.v1"

    endpoint_id: UUID
    from_position: int | None
    message_id: str | None


class EndpointRemoved(Fact, frozen=True, kw_only=True):
    """Nothing is told there any more; its secrets are destroyed."""

    TOPIC: ClassVar[str] = "endpoint.removed.v1"

    endpoint_id: UUID


EndpointEvent = (
    EndpointRegistered
    | EndpointChanged
    | EndpointSecretRotated
    | EndpointDisabled
    | EndpointEnabled
    | EndpointReplayed
    | EndpointRemoved
)
ENDPOINT_EVENTS: tuple[type[Event], ...] = (
    EndpointRegistered,
    EndpointChanged,
    EndpointSecretRotated,
    EndpointDisabled,
    EndpointEnabled,
    EndpointReplayed,
    EndpointRemoved,
)
