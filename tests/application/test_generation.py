"""What a customer reads of its requests."""

from uuid import UUID

import msgspec
import pytest

from application.generation import generation, request_id_of
from application.queries import AttemptRow, RequestDetail, RequestRow
from domain.ledger.events import PassedOver

ID = UUID("0193a5e0-0000-7000-8000-000000000001")
SECRET_ID = UUID("0193a5e0-0000-7000-8000-00000000dead")


def request(**changes: object) -> RequestRow:
    fields: dict[str, object] = {
        "request_id": ID,
        "account_id": UUID(int=2),
        "lease_id": SECRET_ID,
        "key_id": UUID(int=3),
        "alias": "acme/big",
        "stream": True,
        "client_ref": None,
        "price_version": 4,
        "hold_nano": 99,
        "state": "charged",
        "charge_nano": 1_234_567_890,
        "shortfall_nano": 0,
        "input_tokens": 10,
        "cached_input_tokens": 20,
        "cache_write_tokens": 0,
        "output_tokens": 5,
        "reasoning_tokens": 1,
        "usage_source": "provider",
        "usage_flags": (),
        "result": "completed",
        "code": None,
        "provider": "beta",
        "deployment_id": SECRET_ID,
        "attempts": 2,
        "first_byte_ms": 30,
        "total_ms": 80,
        "admitted_us": 1_764_000_000_000_000,
        "ended_us": 1_764_000_000_080_000,
        "first_position": 1,
        "last_position": 2,
        "passed_over": (PassedOver(deployment_id=SECRET_ID, provider="gamma", reason="breaker_open"),),
    }
    return RequestRow(**(fields | changes))  # type: ignore[arg-type]


ATTEMPT = AttemptRow(
    request_id=ID,
    position=2,
    number=1,
    deployment_id=SECRET_ID,
    provider="alpha",
    model="m",
    status=0,
    outcome="timeout",
    started_us=1_764_000_000_001_000,
    duration_ms=7,
    upstream_request_id="upstream-secret",
    credential_id=SECRET_ID,
    first_byte_ms=3,
)


def shown(row: RequestRow) -> dict[str, object]:
    document = msgspec.json.encode(generation(RequestDetail(request=row, attempts=(ATTEMPT,))))
    return msgspec.json.decode(document, type=dict[str, object])


def test_an_answered_request_tells_usage_charge_and_attempts() -> None:
    """Tokens of a prompt are all of them, the charge is exact."""
    document = shown(request())
    assert document["total_cost"] == 1.23456789
    assert document["usage"] == {
        "prompt_tokens": 30,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert document["provider_responses"] == [
        {
            "provider_name": "alpha",
            "model": "m",
            "status": None,
            "outcome": "timeout",
            "started_at_ms": 1_764_000_000_001,
            "latency": 3,
            "duration": 7,
        }
    ]
    assert document["passed_over"] == [{"provider_name": "gamma", "reason": "breaker_open"}]
    assert (document["state"], document["created_at"], document["cancelled"]) == (
        "charged",
        1_764_000_000,
        False,
    )


@pytest.mark.parametrize(
    ("state", "word"), [("admitted", "open"), ("released", "failed"), ("abandoned", "abandoned")]
)
def test_what_was_not_charged_has_no_usage(state: str, word: str) -> None:
    """Nor a cost."""
    document = shown(request(state=state, charge_nano=0))
    assert (document["state"], document["usage"], document["total_cost"]) == (word, None, 0)


def test_nothing_of_the_operators_is_shown() -> None:
    """No id of a deployment, a lease or a provider's request."""
    document = msgspec.json.encode(generation(RequestDetail(request=request(), attempts=(ATTEMPT,))))
    assert str(SECRET_ID).encode() not in document
    assert b"upstream-secret" not in document


@pytest.mark.parametrize("text", [str(ID), f"chatcmpl-{ID}", f"gen-{ID}", f"resp_{ID}"])
def test_an_id_may_be_that_of_an_answer(text: str) -> None:
    """Its prefix is of no account."""
    assert request_id_of(text) == ID


@pytest.mark.parametrize("text", ["", "x", str(ID)[:-1], f"{ID}'--", "chatcmpl-abc", f"{ID}\n"])
def test_what_is_no_id_means_nothing(text: str) -> None:
    """And is not asked for."""
    assert request_id_of(text) is None
