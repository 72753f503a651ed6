"""`GET /metrics`: the counters of this process, and what the composition root adds, as Prometheus text."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from application.gateway.metrics import GatewayMetrics


class GatewayCollector(Collector):
    """Reads counters that belong to the event loop: collect on it."""

    def __init__(self, metrics: GatewayMetrics, *, is_writable: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._is_writable = is_writable

    def collect(self) -> Iterator[Metric]:
        """Requests, refusals by code, latency, and whether money can be written."""
        metrics = self._metrics
        yield CounterMetricFamily("tokenok_requests", "Requests that ended.", value=metrics.requests)
        refusals = CounterMetricFamily(
            "tokenok_refusals", "Requests that were refused, by code.", labels=["code"]
        )
        for code, count in metrics.refusals.items():
            refusals.add_metric([code], count)
        yield refusals
        yield HistogramMetricFamily(
            "tokenok_request_duration_seconds",
            "From the first byte of a request to the last of its answer.",
            buckets=list(_cumulative(metrics)),
            sum_value=metrics.latency_s_total,
        )
        yield GaugeMetricFamily(
            "tokenok_journal_writable",
            "1 while the event log can be written by this process.",
            value=float(self._is_writable()),
        )


def metrics_route(own: Collector, blocking: Sequence[Collector] = ()) -> HTTPRouteHandler:
    """`own` is collected on the event loop, `blocking` ones in a thread."""
    on_loop, in_thread = CollectorRegistry(), CollectorRegistry()
    on_loop.register(own)
    for collector in blocking:
        in_thread.register(collector)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        text = generate_latest(on_loop) + await asyncio.to_thread(generate_latest, in_thread)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return metrics


def _cumulative(metrics: GatewayMetrics) -> Iterator[tuple[str, float]]:
    seen = 0
    bounds = [*map(str, metrics.LATENCY_BOUNDS_S), "+Inf"]
    for bound, count in zip(bounds, metrics.latency_buckets, strict=True):
        seen += count
        yield bound, seen
