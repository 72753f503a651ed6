"""Which refusals a route may fall over on."""

import msgspec
import pytest

from application.routing.fall_over import cause_of
from application.wire.upstream_errors import classify


def body(code: str, message: str = "no") -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message, "type": "invalid_request_error"}})


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (400, "context_length_exceeded", "context_length"),
        (413, "", "context_length"),
        (400, "content_filter", "content_filter"),
        (400, "data_inspection_failed", "content_filter"),
        (400, "invalid_value", None),
        (404, "model_not_found", None),
        (500, "", None),
    ],
)
def test_only_long_prompts_and_filters_are_causes(status: int, code: str, cause: str | None) -> None:
    """What is merely wrong stays the client's mistake; what falls over anyway needs no cause."""
    assert cause_of(classify(status, (), body(code))) == cause


def test_free_text_is_no_cause() -> None:
    """It repeats what clients wrote."""
    assert cause_of(classify(400, (), body("", "context_length_exceeded content_filter"))) is None
