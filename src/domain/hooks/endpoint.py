"""The life of an endpoint: registered, changed, given a new secret, disabled, enabled, removed."""

from collections.abc import Collection
from typing import Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.accounts import Account, not_closed
from domain.fact import Stamp
from domain.hooks.events import (
    EndpointChanged,
    EndpointDisabled,
    EndpointEnabled,
    EndpointEvent,
    EndpointRegistered,
    EndpointRemoved,
    EndpointReplayed,
    EndpointSecretRotated,
)
from domain.ids import stream_of
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from domain.text import REASON_CHARS_MAX, printable

EndpointState = Literal["enabled", "disabled", "removed"]

ENDPOINTS_MAX: Final = 20  #: of an account
OVERLAP_S_MAX: Final = 30 * 24 * 3600
_US: Final = 1_000_000
_MESSAGE_ID_CHARS_MAX: Final = 80
_STATES: Final[dict[type[EndpointEvent], EndpointState]] = {
    EndpointDisabled: "disabled",
    EndpointEnabled: "enabled",
    EndpointRemoved: "removed",
}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an endpoint's stream."""

    endpoint_id: UUID
    account_id: UUID
    url: str
    kinds: tuple[str, ...]
    secret_version: int
    former_version: int = 0  #: signs too ...
    former_until_us: int = 0  #: ... until then
    state: EndpointState = "enabled"
    reason: str = ""  #: why it is disabled
    since_us: int = 0

    def secret_versions(self, now_us: int) -> tuple[int, ...]:
        """The versions that sign, the present one first."""
        if now_us < self.former_until_us:
            return self.secret_version, self.former_version
        return (self.secret_version,)

    def wants(self, kind: str) -> bool:
        return self.state != "removed" and (not self.kinds or kind in self.kinds)


def endpoint_stream(endpoint_id: UUID) -> UUID:
    return stream_of(endpoint_id, "endpoint")


def evolve(endpoint: Endpoint | None, event: EndpointEvent) -> Endpoint:
    """The endpoint after one more fact."""
    if isinstance(event, EndpointRegistered):
        return Endpoint(
            endpoint_id=event.endpoint_id,
            account_id=event.account_id,
            url=event.url,
            kinds=event.kinds,
            secret_version=event.secret_version,
            since_us=event.occurred_us,
        )
    assert endpoint is not None, "an endpoint's stream starts with EndpointRegistered"
    replace = msgspec.structs.replace
    match event:
        case EndpointChanged():
            return replace(endpoint, url=event.url, kinds=event.kinds)
        case EndpointSecretRotated():
            return replace(
                endpoint,
                secret_version=event.secret_version,
                former_version=endpoint.secret_version,
                former_until_us=event.overlap_until_us,
            )
        case EndpointDisabled() | EndpointEnabled() | EndpointRemoved():
            reason = event.reason if isinstance(event, EndpointDisabled) else ""
            return replace(endpoint, state=_STATES[type(event)], reason=reason)
        case EndpointReplayed():
            return endpoint
        case _:
            assert_never(event)


def register(
    endpoint: Endpoint | None,
    *,
    endpoint_id: UUID,
    account: Account,
    others: int,
    url: str,
    kinds: tuple[str, ...],
    known: Collection[str],
    secret_version: int,
    stamp: Stamp,
) -> list[EndpointEvent]:
    """Tell an account of what happens, at an address that was judged already. `others` are its endpoints now.

    Raises:
        AlreadyExists: the id is in use.
        WrongState: the account is closed, or has too many.
        BadField: a kind that there is not.
    """
    if endpoint is not None:
        raise AlreadyExists("endpoint", endpoint_id)
    not_closed(account)
    if others >= ENDPOINTS_MAX:
        raise WrongState("account", f"full: it has {ENDPOINTS_MAX} endpoints")
    return [
        EndpointRegistered(
            endpoint_id=endpoint_id,
            account_id=account.account_id,
            url=url,
            kinds=checked_kinds(kinds, known),
            secret_version=secret_version,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def change(
    endpoint: Endpoint | None, *, url: str, kinds: tuple[str, ...], known: Collection[str], stamp: Stamp
) -> list[EndpointEvent]:
    """Replace address and kinds.

    Raises:
        NotFound, BadField: there is no such endpoint, or no such kind.
    """
    endpoint, kinds = existing(endpoint), checked_kinds(kinds, known)
    if (url, kinds) == (endpoint.url, endpoint.kinds):
        return []
    return [
        EndpointChanged(
            endpoint_id=endpoint.endpoint_id,
            url=url,
            kinds=kinds,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def rotate(
    endpoint: Endpoint | None, *, secret_version: int, overlap_s: int, stamp: Stamp
) -> list[EndpointEvent]:
    """Sign with a new secret, and for `overlap_s` with the present one too.

    Raises:
        NotFound: there is no such endpoint.
        BadField: the overlap is negative or longer than 30 days.
    """
    endpoint = existing(endpoint)
    if not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise BadField("overlap_s", f"must be between 0 and {OVERLAP_S_MAX}")
    return [
        EndpointSecretRotated(
            endpoint_id=endpoint.endpoint_id,
            secret_version=secret_version,
            overlap_until_us=stamp.now_us + overlap_s * _US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def disable(endpoint: Endpoint | None, *, reason: str, stamp: Stamp) -> list[EndpointEvent]:
    """Send nothing; doing it twice does nothing. Raises `NotFound`, `BadField`."""
    endpoint = existing(endpoint)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if endpoint.state == "disabled":
        return []
    return [
        EndpointDisabled(
            endpoint_id=endpoint.endpoint_id,
            account_id=endpoint.account_id,
            reason=reason,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def enable(endpoint: Endpoint | None, *, stamp: Stamp) -> list[EndpointEvent]:
    """Send again; one that is enabled stays so. Raises `NotFound`."""
    endpoint = existing(endpoint)
    if endpoint.state == "enabled":
        return []
    return [EndpointEnabled(endpoint_id=endpoint.endpoint_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def replay(
    endpoint: Endpoint | None, *, from_position: int | None, message_id: str | None, stamp: Stamp
) -> list[EndpointEvent]:
    """Note that something is to be sent again.

    Raises:
        NotFound: there is no such endpoint.
        BadField: neither a position nor a message is named, or both are.
    """
    endpoint = existing(endpoint)
    if (from_position is None) == (message_id is None):
        raise BadField("message_id", "or from_position must be given, and not both")
    if from_position is not None and not 0 <= from_position < 2**63:
        raise BadField("from_position", "must be a position of the log")
    if message_id is not None:
        printable(message_id, field="message_id", chars_max=_MESSAGE_ID_CHARS_MAX)
    return [
        EndpointReplayed(
            endpoint_id=endpoint.endpoint_id,
            from_position=from_position,
            message_id=message_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def remove(endpoint: Endpoint | None, *, stamp: Stamp) -> list[EndpointEvent]:
    """Tell nothing there any more; doing it twice does nothing. Raises `NotFound`."""
    if endpoint is not None and endpoint.state == "removed":
        return []
    endpoint = existing(endpoint)
    return [EndpointRemoved(endpoint_id=endpoint.endpoint_id, occurred_us=stamp.now_us, actor=stamp.actor)]


def checked_kinds(kinds: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    """In order, each once.

    Raises:
        BadField: one that there is not.
    """
    if not set(kinds) <= set(known):
        raise BadField("kinds", f"must be some of {', '.join(sorted(known))}")
    return tuple(sorted(set(kinds)))


def existing(endpoint: Endpoint | None) -> Endpoint:
    """One that is not removed, or `NotFound`."""
    if endpoint is None or endpoint.state == "removed":
        raise NotFound("endpoint")
    return endpoint
