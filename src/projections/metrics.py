"""Lag of the read models, measured when it is scraped, and health of the books, as last checked, as Prometheus gauges."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from application.projections import Projections
from application.reports.health import HealthQueries


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
    """As `LagCollector`, for the books."""

    def __init__(self, queries: HealthQueries) -> None:
        self._queries = queries

    def collect(self) -> Iterator[GaugeMetricFamily]:
        health = self._queries.health()
        verified = health.last_verification
        figures = {
            "checked_timestamp_seconds": (
                (health.checked_us or 0) / 1e6,
                "When the books and holds below were looked at, 0 if never.",
            ),
            "zero_sum_nano": (health.zero_sum_nano, "The sum over all accounts of the books: 0."),
            "drift_nano": (
                health.drift_nano,
                "What balances and books differ by, where they can be compared: 0.",
            ),
            "open_holds": (health.open_holds, "Requests that hold credit."),
            "oldest_hold_seconds": (health.oldest_hold_s, "Age of the oldest hold, 0 if there is none."),
            "reviews_waiting": (health.reviews_waiting, "Charges held for review that wait for an operator."),
            "oldest_review_seconds": (health.oldest_review_s, "For how long the oldest of them waits."),
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


def _gauge(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tokenok_projection_{name}", documentation, labels=["projection"])
