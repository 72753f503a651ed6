"""Folds requests from the log on its own: each once, and each as the read model `request_log` shows it."""

from array import array
from typing import Any
from uuid import UUID

import msgspec

from application.queries import (
    CHAT,
    AttemptRow,
    RequestDetail,
    RequestRow,
    clean,
    passed_over_of,
    passed_over_text,
)
from application.verify.balances import difference
from application.verify.ledger import Stored
from application.verify.read_models import ReadModelSnapshot
from application.verify.report import Findings
from domain.ledger.events import (
    Attempt,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)

_LOW_64 = 2**64 - 1
_BUCKETS = 256  # so that only a part is sorted at a time
_COMPARED_AT_ONCE = 2_000


class UniqueRequests:
    """Finds request ids that were admitted more than once, in 8 bytes a request.

    It keeps the low half of each id, which is random in a version 7 UUID; two that agree in it are as good as one.
    """

    def __init__(self) -> None:
        self._seen = [array("Q") for _ in range(_BUCKETS)]

    def take(self, request_id: UUID) -> None:
        low = request_id.int & _LOW_64
        self._seen[low % _BUCKETS].append(low)

    def __len__(self) -> int:
        return sum(map(len, self._seen))

    def finish(self, findings: Findings) -> None:
        for bucket in self._seen:
            previous = -1
            for low in sorted(bucket):
                if low == previous:
                    subject = f"request ...{low:016x}"
                    findings.add("P07", position=0, subject=subject, detail="admitted more than once")
                previous = low


class RequestCheck:
    """Holds open requests, and those that ended since the last comparison."""

    def __init__(self, snapshot: ReadModelSnapshot, findings: Findings) -> None:
        self._snapshot = snapshot
        self._findings = findings
        self._open: dict[UUID, RequestDetail] = {}
        self._ended: dict[UUID, RequestDetail] = {}
        self.compared = 0
        self._attempts = 0

    def take(self, at: Stored) -> None:
        event = at.event
        if isinstance(event, RequestAdmitted):
            self._open[event.request_id] = RequestDetail(request=_begun(event, at), attempts=())
        elif isinstance(event, UsageCharged | RequestReleased | RequestAbandoned):
            before = self._open.pop(event.request_id, None)
            row = before.request if before else _begun(event, at)
            detail = _ended(row, event, at)
            self._attempts += len(detail.attempts)
            self._ended[event.request_id] = detail
            if len(self._ended) >= _COMPARED_AT_ONCE:
                self._compare(self._ended)

    def finish(self) -> None:
        """Compare what is left, and the numbers of rows: there must be no others."""
        self._compare(self._ended)
        self._compare(self._open)
        self._expect("requests", self._snapshot.request_count(), self.compared)
        self._expect("attempts", self._snapshot.attempt_count(), self._attempts)

    def _compare(self, expected: dict[UUID, RequestDetail]) -> None:
        found = self._snapshot.requests(list(expected))
        for request_id, detail in expected.items():
            if found.get(request_id) != detail:
                self._tell(request_id, detail, found.get(request_id))
        self.compared += len(expected)
        expected.clear()

    def _tell(self, request_id: UUID, expected: RequestDetail, found: RequestDetail | None) -> None:
        details = [difference(expected.request, found.request if found else None)]
        if found and found.attempts != expected.attempts:
            details.append("its attempts differ")
        self._findings.add(
            "R02",
            position=expected.request.last_position,
            subject=f"request {request_id}",
            detail="; ".join(detail for detail in details if detail),
        )

    def _expect(self, subject: str, found: int, expected: int) -> None:
        if found != expected:
            detail = f"{found} rows, should be {expected}"
            self._findings.add(
                "R02", position=self._snapshot.requests_position, subject=subject, detail=detail
            )


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value)


def _begun(event: Any, at: Stored) -> RequestRow:
    """The row as the first event of a request leaves it, whichever kind that is."""
    is_admission = isinstance(event, RequestAdmitted)
    return RequestRow(
        request_id=event.request_id,
        account_id=event.account_id,
        lease_id=at.stream_id,
        key_id=getattr(event, "key_id", None),
        alias=_text(getattr(event, "alias", None)),
        stream=event.stream if is_admission else None,
        client_ref=_text(event.client_ref) if is_admission else None,
        price_version=None,
        hold_nano=event.hold_nano,
        state="admitted",
        charge_nano=0,
        shortfall_nano=0,
        input_tokens=None,
        cached_input_tokens=None,
        cache_write_tokens=None,
        output_tokens=None,
        reasoning_tokens=None,
        usage_source=None,
        usage_flags=(),
        result=None,
        code=None,
        provider=None,
        deployment_id=None,
        attempts=0,
        first_byte_ms=None,
        total_ms=None,
        admitted_us=event.occurred_us if is_admission else None,
        ended_us=None,
        first_position=at.position,
        last_position=at.position,
    )


def _ended(
    row: RequestRow, event: UsageCharged | RequestReleased | RequestAbandoned, at: Stored
) -> RequestDetail:
    changes: dict[str, Any] = {"ended_us": event.occurred_us, "last_position": at.position}
    attempts: tuple[Attempt, ...] = ()
    match event:
        case UsageCharged():
            attempts = event.attempts
            changes |= _charged(event)
        case RequestReleased():
            attempts = event.attempts
            changes |= {
                "state": "released",
                "code": _text(event.code),
                "total_ms": event.total_ms,
                "passed_over": passed_over_of(passed_over_text(event.passed_over or ())),
            }
        case RequestAbandoned():
            changes["state"] = "abandoned"
    changes["attempts"] = len(attempts)
    return RequestDetail(
        request=msgspec.structs.replace(row, **changes),
        attempts=tuple(
            _attempt(event.request_id, at.position, number, attempt)
            for number, attempt in enumerate(attempts, start=1)
        ),
    )


def _charged(event: UsageCharged) -> dict[str, Any]:
    flags = _text(",".join(event.usage_flags))
    return {
        "state": "charged",
        "charge_nano": event.charge_nano,
        "shortfall_nano": event.shortfall_nano,
        "price_version": event.price_version,
        "input_tokens": event.units.input,
        "cached_input_tokens": event.units.cached_input,
        "cache_write_tokens": event.units.cache_write + event.units.cache_write_long,
        "output_tokens": event.units.output,
        "reasoning_tokens": event.units.reasoning,
        "usage_source": event.usage_source,
        "usage_flags": tuple(flags.split(",")) if flags else (),
        "result": _text(event.result),
        "provider": _text(event.provider),
        "deployment_id": event.deployment_id,
        "first_byte_ms": event.first_byte_ms,
        "total_ms": event.total_ms,
        "operation": _text(event.operation or CHAT),
        "factor_ppm": event.factor_ppm or None,
        "images": event.units.images,
        "audio_ms": event.units.audio_ms,
        "characters": event.units.characters,
        "searches": event.units.searches,
        "passed_over": passed_over_of(passed_over_text(event.passed_over or ())),
    }


def _attempt(request_id: UUID, position: int, number: int, attempt: Attempt) -> AttemptRow:
    return AttemptRow(
        request_id=request_id,
        position=position,
        number=number,
        deployment_id=attempt.deployment_id,
        provider=clean(attempt.provider),
        model=clean(attempt.model),
        status=attempt.status,
        outcome=clean(attempt.outcome),
        started_us=attempt.started_us,
        duration_ms=attempt.duration_ms,
        upstream_request_id=_text(attempt.upstream_request_id),
        credential_id=attempt.credential_id,
        first_byte_ms=attempt.first_byte_ms,
    )
