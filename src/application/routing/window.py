"""Counts of outcomes over the last seconds: constant memory, nothing to expire by hand."""

from typing import Final

WINDOW_S: Final = 30
_BUCKETS: Final = 10
_BUCKET_S: Final = WINDOW_S / _BUCKETS


class OutcomeWindow:
    """Requests and failures of one deployment in this process, over `WINDOW_S` give or take a tenth."""

    __slots__ = ("_bucket", "_failures", "_requests", "consecutive", "failures", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.consecutive = 0  #: failures since the last success, however long ago
        self._bucket = 0
        self._requests = [0] * _BUCKETS
        self._failures = [0] * _BUCKETS

    def add(self, *, failed: bool, now_s: float) -> None:
        """Count one. `now_s` is monotonic."""
        self._move_to(int(now_s / _BUCKET_S))
        place = self._bucket % _BUCKETS
        self.requests += 1
        self._requests[place] += 1
        if failed:
            self.failures += 1
            self.consecutive += 1
            self._failures[place] += 1
        else:
            self.consecutive = 0

    def clear(self) -> None:
        """Forget everything: another state of things begins."""
        self.requests = self.failures = self.consecutive = 0
        self._requests = [0] * _BUCKETS
        self._failures = [0] * _BUCKETS

    def _move_to(self, bucket: int) -> None:
        passed = bucket - self._bucket
        if passed <= 0:
            return
        if passed >= _BUCKETS:
            self.requests = self.failures = 0
            self._requests = [0] * _BUCKETS
            self._failures = [0] * _BUCKETS
        else:
            for old in range(self._bucket + 1, bucket + 1):
                place = old % _BUCKETS
                self.requests -= self._requests[place]
                self.failures -= self._failures[place]
                self._requests[place] = self._failures[place] = 0
        self._bucket = bucket
