"""Lag of the read models as Prometheus gauges, measured when they are scraped."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from application.projections import Projections


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


def _gauge(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tokenok_projection_{name}", documentation, labels=["projection"])
