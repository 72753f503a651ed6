"""How the last calls went, by deployment."""

from uuid import UUID

import msgspec

from domain.ids import uuid7
from domain.ledger.events import Attempt
from projections.call_stats import CallReader
from tests.histories import numbered
from tests.projections.facts import DEPLOYMENT, KEY, LEASE, admitted, charged
from tests.projections.lab import Lab

HOUR_MS = 3_600_000
NOW_MS = 1_764_000_000_000


def attempt(deployment_id: UUID, outcome: str, took_ms: int) -> Attempt:
    return Attempt(
        deployment_id=deployment_id,
        provider="one",
        model="m",
        status=200 if outcome == "ok" else 500,
        outcome=outcome,
        started_us=took_ms,
        duration_ms=took_ms,
        first_byte_ms=took_ms // 2,
    )


def test_calls_are_counted_by_deployment_with_the_times_of_those_that_went_well(lab: Lab) -> None:
    """Only of requests since then; what failed is told by its outcome and has no part in the times."""
    events = []
    for age_ms, *attempts in (
        (2 * HOUR_MS, attempt(KEY, "ok", 9_000)),
        (1_000, attempt(KEY, "timeout", 60_000), attempt(DEPLOYMENT, "ok", 100)),
        (500, attempt(DEPLOYMENT, "ok", 300)),
        (100, attempt(DEPLOYMENT, "rate", 7), attempt(KEY, "ok", 50)),
    ):
        request_id = uuid7(unix_ms=NOW_MS - age_ms, random=bytes(10))
        end = msgspec.structs.replace(charged(request_id, 30, 3), attempts=tuple(attempts))
        events += [admitted(request_id, 30), end]
    lab.log.extend(numbered(LEASE, 2, events))
    lab.catch_up()
    calls = CallReader(lab.pool).calls(since_us=(NOW_MS - HOUR_MS) * 1_000)
    assert {key: (one.calls, one.failed) for key, one in calls.items()} == {KEY: (2, 1), DEPLOYMENT: (3, 1)}
    one = calls[DEPLOYMENT]
    assert one.outcomes == {"ok": 2, "rate": 1}
    assert (one.first_byte_p50_ms, one.first_byte_p95_ms) == (50, 150)
    assert (one.duration_p50_ms, one.duration_p95_ms, one.last_us) == (100, 300, 300)
