"""Tells the event log of an outage in sentences, so that a reader can follow what happened and why."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from application.eventlog import RecordedEvent
from domain.event import Event
from domain.health.breaker import BreakerClosed, BreakerEvent, BreakerHalfOpened, BreakerOpened
from domain.health.credential import CredentialFailed, CredentialRecovered
from domain.ledger.events import LeaseGranted, UsageCharged
from domain.topics import REGISTRY


class Storyteller:
    """Names gateways in the order in which they first borrowed credit."""

    def __init__(self, names: Mapping[UUID, str]) -> None:
        self._names = names
        self._gateways: dict[UUID, str] = {}
        self._leases: dict[UUID, UUID] = {}

    def tell(self, log: Iterable[RecordedEvent], *, after: int) -> list[str]:
        """One sentence for each fact after a position that belongs to the story."""
        lines = []
        for one in log:
            event = REGISTRY.decode(one.topic, one.state)
            if isinstance(event, LeaseGranted):
                self._learn(event)
            elif one.position > after:
                lines.append(self._line(one.stream_id, event))
        return [line for line in lines if line]

    def _learn(self, event: LeaseGranted) -> None:
        instance_id = event.owner.instance_id
        self._leases[event.lease_id] = instance_id
        self._gateways.setdefault(instance_id, f"gateway {len(self._gateways) + 1}")

    def _line(self, stream_id: UUID, event: Event) -> str:
        match event:
            case UsageCharged():
                return self._answer(self._gateways[self._leases[stream_id]], event)
            case BreakerOpened() | BreakerHalfOpened() | BreakerClosed():
                return f"{self._names[event.deployment_id]} {self._breaker(event)}"
            case CredentialFailed():
                return f"{self._names[event.credential_id]} is set aside: {event.cause}, {event.status}"
            case CredentialRecovered():
                return f"{self._names[event.credential_id]} is used again: {event.cause}"
        return ""

    def _breaker(self, event: BreakerEvent) -> str:
        match event:
            case BreakerOpened():
                seconds = (event.open_until_us - event.occurred_us) // 1_000_000
                return f"is shut for {seconds} s: {event.cause}, {event.outcome}"
            case BreakerHalfOpened():
                return f"gets a trial by {self._gateways[event.instance_id]}"
            case BreakerClosed():
                return f"is open to all again: {event.cause}"

    def _answer(self, gateway: str, event: UsageCharged) -> str:
        said = [f"{one.provider} was passed over ({one.reason})" for one in event.passed_over or ()]
        for one in event.attempts:
            name = self._names[one.credential_id or one.deployment_id]
            said.append(
                f"{name} served" if one.outcome == "ok" else f"{name} failed ({one.outcome} {one.status})"
            )
        return f"{gateway}: {', '.join(said)}"
