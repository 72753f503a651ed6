"""How the last calls of deployments went: for operators, who ask why a provider is slow. Nothing is decided by it."""

from typing import Final, Protocol
from uuid import UUID

import msgspec

#: Of all deployments together: at most so many of the newest calls are looked at, so that the answer is quick.
CALLS_MAX: Final = 10_000


class CallStats(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one deployment. Times are of those that were answered well."""

    deployment_id: UUID
    calls: int
    failed: int
    outcomes: dict[str, int]
    first_byte_p50_ms: int | None
    first_byte_p95_ms: int | None
    duration_p50_ms: int | None
    duration_p95_ms: int | None
    last_us: int  #: when the newest began


class CallQueries(Protocol):
    """As last projected. Blocking; safe to use from threads."""

    def calls(self, *, since_us: int) -> dict[UUID, CallStats]:
        """Of the newest calls of requests since then, at most `CALLS_MAX`."""
        ...
