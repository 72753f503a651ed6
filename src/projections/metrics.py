"""Lag of the read models and health of the books as Prometheus gauges, measured when they are scraped."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from application.clock import Clock
from application.projections import Projections
from application.reports.health import HealthQueries, LedgerHealth

#: How long an answer about the books is told again: it takes a look at every account and every hold.
HEALTH_KEPT_S = 15.0


class LagCollector(Collector):
    """Register it in the registry of whichever process is scraped."""

    def __init__(self, projections: Projections) -> None:
        self._projections = projections

    def collect(self) -> Iterator[GaugeMetricFamily]:
        behind = _gauge(
            "events_behind", "Events in the log that the read model has not taken yet; an upper bound."
        )
        age = _gauge("behind_seconds", "Age of the oldest event that the read model has not taken yet.")
        stopped = _gauge(
            "stopped", "1 while the read model cannot take the next event, or waits for a rebuild."
        )
        for status in self._projections.status():
            behind.add_metric([status.name], status.events_behind)
            age.add_metric([status.name], status.behind_s)
            stopped.add_metric([status.name], float(status.stopped is not None or status.is_outdated))
        yield from (behind, age, stopped)


class HealthCollector(Collector):
    """As `LagCollector`, for the books, but not anew at each scrape."""

    def __init__(self, queries: HealthQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._kept: tuple[float, LedgerHealth] | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        health = self._health()
        verified = health.last_verification
        figures = {
            "zero_sum_nano": (health.zero_sum_nano, "The sum over all accounts of the books: 0."),
            "drift_nano": (
                health.drift_nano,
                "What balances and books differ by, where they can be compared: 0.",
            ),
            "open_holds": (health.open_holds, "Requests that hold credit."),
            "oldest_hold_seconds": (health.oldest_hold_s, "Age of the oldest hold, 0 if there is none."),
            "verified_timestamp_seconds": (
                0.0 if verified is None else verified.verified_us / 1e6,
                "When `ledger verify` was last run, 0 if never.",
            ),
            "verified_ok": (
                float(verified is not None and verified.ok),
                "1 if it was run and found the ledger clean.",
            ),
        }
        for name, (value, documentation) in figures.items():
            yield GaugeMetricFamily(f"tokenok_ledger_{name}", documentation, value=value)

    def _health(self) -> LedgerHealth:
        now_s = self._clock.monotonic_s()
        if self._kept is None or now_s - self._kept[0] >= HEALTH_KEPT_S:
            self._kept = now_s, self._queries.health()
        return self._kept[1]


def _gauge(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tokenok_projection_{name}", documentation, labels=["projection"])
