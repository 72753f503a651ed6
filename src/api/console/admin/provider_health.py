"""How a provider has been lately: its last calls, its probes, and what its breakers did. Told by facts; slow parts block."""

from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from api.console.pages import Pages
from api.console.provider_states import calls_lately
from application.reports.calls import CALLS_MAX, CallStats
from domain.catalogue.deployment import Deployment
from domain.health.breaker import BreakerClosed, BreakerHalfOpened, BreakerOpened, breaker_stream
from domain.health.probe import ProbesSummarised, probes_stream
from domain.topics import REGISTRY

_PROBES: Final = 24
_BREAKER_ROWS: Final = 20

BreakerFact = BreakerOpened | BreakerHalfOpened | BreakerClosed
_KINDS: Final[dict[type, Literal["opened", "half-opened", "closed"]]] = {
    BreakerOpened: "opened",
    BreakerHalfOpened: "half-opened",
    BreakerClosed: "closed",
}


class BreakerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the breaker of one deployment did."""

    position: int
    model: str  #: as it is called there
    kind: Literal["opened", "half-opened", "closed"]
    fact: BreakerFact


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Of one provider. Calls are those of the last day."""

    calls: dict[UUID, CallStats]
    is_cut: bool  #: there may be more calls than were looked at
    probes: tuple[ProbesSummarised, ...]  #: newest first
    breakers: tuple[BreakerRow, ...]  #: newest first, all of them

    @property
    def breaker_items(self) -> list[dict[str, Any]]:
        """The same for files."""
        return [
            {"position": row.position, "model": row.model, "what": row.kind} | msgspec.to_builtins(row.fact)
            for row in self.breakers
        ]

    def page(self, before: int | None) -> tuple[tuple[BreakerRow, ...], int | None]:
        """Some of what its breakers did before a position, and where the next page begins."""
        rows = [one for one in self.breakers if before is None or one.position < before]
        shown = tuple(rows[:_BREAKER_ROWS])
        return shown, shown[-1].position if len(rows) > len(shown) else None

    @property
    def attempts(self) -> int:
        return sum(one.calls for one in self.calls.values())

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.calls.values())

    @property
    def failed_share(self) -> float | None:
        return self.failed / self.attempts if self.attempts else None

    @property
    def probed_share(self) -> float | None:
        """Which share of its probes it answered well."""
        asked = sum(sum(one.outcomes.values()) for one in self.probes)
        well = sum(one.outcomes.get("ok", 0) for one in self.probes)
        return well / asked if asked else None

    @property
    def probe_p50_ms(self) -> int | None:
        """Of the newest probes that were answered."""
        return next((one.latency_p50_ms for one in self.probes if one.latency_p50_ms is not None), None)


def provider_health(pages: Pages, provider_id: UUID, deployments: list[Deployment]) -> ProviderHealth:
    """Blocking."""
    tools = pages.tools.admin
    ours = {one.deployment_id: one.spec.upstream_model for one in deployments}
    calls = calls_lately(pages)
    facts = [
        BreakerRow(position=one.position, model=model, kind=_KINDS[type(fact)], fact=fact)
        for deployment_id, model in ours.items()
        for one in tools.ports.store.read_stream(breaker_stream(deployment_id))
        if isinstance(fact := REGISTRY.decode(one.topic, one.state), BreakerFact)
    ]
    stored = tools.ports.store.read_stream(probes_stream(provider_id))[-_PROBES:]
    probes = [REGISTRY.decode(one.topic, one.state) for one in reversed(stored)]
    return ProviderHealth(
        calls={key: one for key, one in calls.items() if key in ours},
        is_cut=sum(one.calls for one in calls.values()) >= CALLS_MAX,
        probes=tuple(one for one in probes if isinstance(one, ProbesSummarised)),
        breakers=tuple(sorted(facts, key=lambda row: -row.position)),
    )
