"""What a provider answered when an operator asked it: told in the log, as gateways tell what they found in an hour.

So whether a provider has ever answered is known to every page at once, and does not wait for the next summary.
"""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from application.catalogue.provider_place import CredentialProbe
from application.command import Ports, execute, stamp
from domain.fact import Actor
from domain.health.probe import ProbesSummarised, probes_stream


def tell(probes: Iterable[CredentialProbe], *, provider_id: UUID, actor: Actor, ports: Ports) -> int | None:
    """A summary of each, which is one probe; the position of the last. Raises: EventLogError."""
    at, position = stamp(ports, actor), None
    for one in probes:
        took_ms = one.took_ms if one.status else None
        told = ProbesSummarised(
            provider_id=provider_id,
            credential_id=one.credential_id,
            from_us=at.now_us,
            to_us=at.now_us,
            outcomes={one.outcome: 1},
            latency_p50_ms=took_ms,
            latency_max_ms=took_ms,
            occurred_us=at.now_us,
            actor=at.actor,
        )
        done = execute(ports.store, probes_stream(provider_id), None, _nothing, partial(_told, told))
        position = done.position
    return position


def _told(summary: ProbesSummarised, _: None) -> list[ProbesSummarised]:
    return [summary]


def _nothing(_: None, event: ProbesSummarised) -> None:  # noqa: ARG001  summaries decide nothing
    return None
