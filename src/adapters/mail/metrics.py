"""Mails that have not left, as Prometheus gauges, counted when it is scraped."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.vault.session import Pool
from application.clock import Clock

_STATES: Final = ("waiting", "handing_over", "parked")
_US: Final = 1e6
_COUNT: Final = """
    SELECT state, count(*), min(queued_us) FROM mail_outbox WHERE state IN ('waiting', 'handing_over') GROUP BY state
    UNION ALL SELECT 'parked', count(*), min(queued_us) FROM mail_outbox WHERE state = 'parked'"""


class MailCollector(Collector):
    """May be collected in any thread; raises what the database raises."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        self._pool, self._clock = pool, clock

    def collect(self) -> Iterator[Metric]:
        """How many there are by state, and how old the oldest parked one is: an operator must look at those."""
        with self._pool.connection() as connection:
            found = {state: (count, queued_us) for state, count, queued_us in connection.execute(_COUNT)}
        mails = GaugeMetricFamily(
            "tokenok_mails", "Mails that have not left, by what becomes of them.", labels=["state"]
        )
        for state in _STATES:
            mails.add_metric([state], found.get(state, (0, None))[0])
        yield mails
        _, parked_us = found["parked"]
        yield GaugeMetricFamily(
            "tokenok_mails_parked_oldest_seconds",
            "Age of the oldest parked mail, 0 if there is none.",
            value=0.0 if parked_us is None else max(self._clock.now_us() - parked_us, 0) / _US,
        )
