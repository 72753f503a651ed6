"""How far the log is sealed, as Prometheus gauges, measured when they are scraped."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from application.eventlog import EventLogError
from application.sealing.ports import CheckpointBook
from application.sealing.reading import SealedLog
from domain.refusal import Refusal


class SealCollector(Collector):
    """Of a process that can read the sealed log; what cannot be read now is left out."""

    def __init__(self, sealed: SealedLog, book: CheckpointBook) -> None:
        self._sealed = sealed
        self._book = book

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            is_stopped = self._book.fault() is not None
        except EventLogError:
            return
        yield _gauge("stopped", "1 while what is there does not fit to what was signed.", is_stopped)
        try:
            status = self._sealed.status()
        except (EventLogError, OSError, Refusal):
            return
        yield _gauge("size", "Events in the newest signed checkpoint.", status.size)
        yield _gauge("events_behind", "Events that are not sealed yet; an upper bound.", status.events_behind)
        yield _gauge(
            "witnessed_size", "Events in the newest checkpoint with cosignatures.", status.witnessed_size
        )
        yield _gauge("witnesses", "Witnesses that have cosigned it.", len(status.witnessed_by))
        yield _gauge("behind_seconds", "Age of the oldest event that is not sealed yet.", status.behind_s)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tokenok_seal_{name}", documentation, value=value)
