"""What the probes of one credential came to, until it is summed up as a fact."""

from collections import Counter
from uuid import UUID

from application.routing.probe import Probed
from domain.health.probe import ProbesSummarised


class Tally:
    """Outcomes, and how long those took that were answered: at most one for each probe of an hour."""

    def __init__(self, *, from_us: int) -> None:
        self.from_us = from_us
        self._outcomes: Counter[str] = Counter()
        self._took_ms: list[int] = []

    def add(self, probed: Probed) -> None:
        self._outcomes[probed.outcome] += 1
        if probed.status:
            self._took_ms.append(probed.took_ms)

    def summary(
        self, provider_id: UUID, credential_id: UUID | None, *, now_us: int, actor: str
    ) -> ProbesSummarised:
        took_ms = sorted(self._took_ms)
        return ProbesSummarised(
            provider_id=provider_id,
            credential_id=credential_id,
            from_us=self.from_us,
            to_us=now_us,
            outcomes=dict(sorted(self._outcomes.items())),
            latency_p50_ms=took_ms[len(took_ms) // 2] if took_ms else None,
            latency_max_ms=took_ms[-1] if took_ms else None,
            occurred_us=now_us,
            actor=actor,
        )
