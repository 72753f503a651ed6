"""How fast deployments answer, from what this process saw lately."""

from collections import deque
from typing import Final
from uuid import UUID

SAMPLES_MAX: Final = 64
SAMPLE_AGE_S_MAX: Final = 300.0
SAMPLES_MIN: Final = 3
"""With fewer samples a deployment counts as unknown, and is tried before the known ones: else it would never be known."""

_UNKNOWN: Final = (-1.0, -1.0)


class Speeds:
    """Time to the first byte, and tokens per second after it, by deployment: medians of the last samples."""

    def __init__(self) -> None:
        self._samples: dict[UUID, deque[tuple[float, float, float]]] = {}
        self._medians: dict[UUID, tuple[float, float]] = {}

    def add(self, deployment_id: UUID, *, first_byte_s: float, tokens_s: float, now_s: float) -> None:
        """Note one answer. `now_s` is monotonic."""
        samples = self._samples.get(deployment_id)
        if samples is None:
            samples = self._samples[deployment_id] = deque(maxlen=SAMPLES_MAX)
        samples.append((now_s, first_byte_s, tokens_s))
        self._medians.pop(deployment_id, None)

    def first_byte_s(self, deployment_id: UUID, *, now_s: float) -> float:
        """The median time to the first byte; negative if it is not known."""
        return self._median(deployment_id, now_s)[0]

    def tokens_s(self, deployment_id: UUID, *, now_s: float) -> float:
        """The median throughput; negative if it is not known."""
        return self._median(deployment_id, now_s)[1]

    def _median(self, deployment_id: UUID, now_s: float) -> tuple[float, float]:
        samples = self._samples.get(deployment_id)
        if not samples:
            return _UNKNOWN
        while samples and samples[0][0] < now_s - SAMPLE_AGE_S_MAX:
            samples.popleft()
            self._medians.pop(deployment_id, None)
        if len(samples) < SAMPLES_MIN:
            return _UNKNOWN
        medians = self._medians.get(deployment_id)
        if medians is None:
            middle = len(samples) // 2
            medians = self._medians[deployment_id] = (
                sorted(one[1] for one in samples)[middle],
                sorted(one[2] for one in samples)[middle],
            )
        return medians
