"""What the ledger at work needs from outside, beside the event log."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import msgspec

from domain.ledger.events import Owner


class Pokes(Protocol):
    """Sends small messages to processes. They may be lost and are never more than hints."""

    def poke(self, message: str) -> None:
        """Send to every process, this one included."""
        ...


class Wakeups(Pokes, Protocol):
    """Small messages between processes; sending one never blocks and never raises."""

    def subscribe(self, receive: Callable[[str], None]) -> None:
        """Call `receive` on the event loop for each message."""
        ...


class Liveness(msgspec.Struct, frozen=True):
    """What is known of an owner. `silent_s` is the time since it last renewed, by the database's clock."""

    owner: Owner
    has_lock: bool
    silent_s: float


class Presence(Protocol):
    """Who is alive: each process holds a session lock, which falls with its connection, and renews a row.

    Blocking; safe to use from threads.
    """

    def liveness(self, instance_ids: list[UUID]) -> dict[UUID, Liveness]:
        """What is known of these owners; one that is missing has never announced itself, or was forgotten."""
        ...

    def live_gateways(self) -> int:
        """How many gateway processes hold their lock, at least 1."""
        ...


class CallBack(Protocol):
    """Asks all gateways to give back what they hold for no request of an account. A hint, which may get lost."""

    def __call__(self, account_id: UUID, /) -> bool:
        """Whether anybody was asked. Never raises."""
        ...


def nobody_to_call(_account_id: UUID) -> bool:
    """Where no gateway can be reached."""
    return False
