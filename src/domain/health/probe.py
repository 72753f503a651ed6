"""Probes: free requests to a provider, to know before customers do. A summary is a fact, a single probe is not."""

from typing import ClassVar, Final, Literal
from uuid import UUID

from domain.fact import Fact
from domain.ids import stream_of

_PROBES: Final = UUID("c4a97d12-08be-5f63-97d1-2be05a6f8c3a")

ProbeOutcome = Literal["ok", "auth", "funds", "rate", "overloaded", "timeout", "unreachable", "unexpected"]


class ProbesSummarised(Fact, frozen=True, kw_only=True):
    """How a provider answered its probes over some time. Latencies are of those that it answered."""

    TOPIC: ClassVar[str] = "provider-health.probed.v1"

    provider_id: UUID
    credential_id: UUID | None
    from_us: int
    to_us: int
    outcomes: dict[str, int]  #: probes by outcome
    latency_p50_ms: int | None
    latency_max_ms: int | None


PROBE_EVENTS: tuple[type[Fact], ...] = (ProbesSummarised,)


def probes_stream(provider_id: UUID) -> UUID:
    """One provider, one stream."""
    return stream_of(_PROBES, str(provider_id))
