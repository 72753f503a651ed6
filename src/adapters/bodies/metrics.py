"""What became of the bodies that were offered in this process."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.bodies.writer import BodyWriter


class BodyCollector(Collector):
    """Reads counters; may be collected in any thread."""

    def __init__(self, writer: BodyWriter) -> None:
        self._writer = writer

    def collect(self) -> Iterator[Metric]:
        """Kept, dropped for want of room, and failed to be written."""
        counts = CounterMetricFamily(
            "tokenok_bodies",
            "Requests of accounts with body logging, by what became of the copy.",
            labels=["outcome"],
        )
        writer = self._writer
        for outcome, count in (("kept", writer.kept), ("dropped", writer.dropped), ("failed", writer.failed)):
            counts.add_metric([outcome], count)
        yield counts
