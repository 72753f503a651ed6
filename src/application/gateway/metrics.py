"""Counters of one gateway process, cheap enough for every request; `/metrics` turns them into text."""

from bisect import bisect_left
from collections import Counter


class GatewayMetrics:
    """Belongs to the event loop."""

    LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

    def __init__(self) -> None:
        self.requests = 0
        self.refusals: Counter[str] = Counter()
        self.latency_s_total = 0.0
        self.latency_buckets = [0] * (len(self.LATENCY_BOUNDS_S) + 1)

    def served(self, latency_s: float) -> None:
        """One request ended, well or not."""
        self.requests += 1
        self.latency_s_total += latency_s
        self.latency_buckets[bisect_left(self.LATENCY_BOUNDS_S, latency_s)] += 1

    def refused(self, code: str) -> None:
        self.refusals[code if len(self.refusals) < 200 or code in self.refusals else "other"] += 1  # noqa: PLR2004  # codes of upstreams are not ours to bound
