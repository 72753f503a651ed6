"""What a customer is told of one of its requests: its attempts, times, usage and charge.

No cost of ours and nothing of a provider but its name: neither ids nor addresses, models' names only as answers show them.
"""

import re
from typing import Any, Final
from uuid import UUID

import msgspec

from application.queries import AttemptRow, RequestDetail
from domain.decimals import decimal_text

_ID: Final = re.compile(r"(?:[a-z]{1,16}[-_])?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_STATES: Final = {"admitted": "open", "charged": "charged", "released": "failed", "abandoned": "abandoned"}
_SECOND_US: Final = 1_000_000


def request_id_of(text: str) -> UUID | None:
    """The request that an id means: that of the header `x-request-id`, or one that an answer made of it."""
    match = _ID.fullmatch(text)
    return UUID(match.group(1)) if match else None


def generation(detail: RequestDetail) -> dict[str, Any]:
    """The document, ready to be encoded. `total_cost` is in credits, exact."""
    one = detail.request
    usage = {
        "prompt_tokens": _sum(one.input_tokens, one.cached_input_tokens, one.cache_write_tokens),
        "completion_tokens": one.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": one.cached_input_tokens,
            "cache_write_tokens": one.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": one.reasoning_tokens},
    }
    return {
        "id": one.request_id,
        "model": one.alias,
        "state": _STATES[one.state],
        "created_at": None if one.admitted_us is None else one.admitted_us // _SECOND_US,
        "operation": one.operation,
        "streamed": one.stream,
        "provider_name": one.provider,
        "total_cost": msgspec.Raw(decimal_text(one.charge_nano).encode()),
        "usage": usage if one.state == "charged" else None,
        "usage_source": one.usage_source,
        "review": detail.review,
        "result": one.result,
        "error_code": one.code,
        "cancelled": one.result == "client-left",
        "latency": one.first_byte_ms,
        "generation_time": one.total_ms,
        "client_ref": one.client_ref,
        "provider_responses": [_attempt(attempt) for attempt in detail.attempts],
        "passed_over": [
            {"provider_name": passed.provider, "reason": passed.reason} for passed in one.passed_over
        ],
    }


def _attempt(one: AttemptRow) -> dict[str, Any]:
    return {
        "provider_name": one.provider,
        "model": one.model,
        "status": one.status or None,
        "outcome": one.outcome,
        "started_at_ms": one.started_us // 1000,
        "latency": one.first_byte_ms,
        "duration": one.duration_ms,
    }


def _sum(*figures: int | None) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None
