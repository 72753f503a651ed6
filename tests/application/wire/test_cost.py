"""The customer's charge in usage: exact, in the last place that tells usage, and not a byte elsewhere."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.wire.cost import events_with_charge, with_charge
from domain.ledger.events import AMOUNT_NANO_MAX

CHARGE_NANO = 12_345
COST = b"0.000012345"
DONE = b"data: [DONE]\n\n"


@given(charge_nano=st.integers(0, AMOUNT_NANO_MAX))
def test_the_cost_is_the_charge_to_the_nano_credit(charge_nano: int) -> None:
    """As a number of credits without an exponent, which every parser takes."""
    told = with_charge(b'{"usage":{"prompt_tokens":1}}', charge_nano)
    cost = json.loads(told, parse_float=Decimal, parse_int=Decimal)["usage"]["cost"]
    assert cost * 10**9 == charge_nano
    assert b"e" not in told.partition(b'"cost":')[2].lower()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b'{"a": "\\u00e9", "usage": {"x": 1}, "b":2}', b'{"a": "\\u00e9", "usage": {"x": 1,"cost":%b}, "b":2}'),
        (b'{"usage":{}}', b'{"usage":{"cost":%b}}'),
        (b'{"usage":{"cost":5,"x":1}}', b'{"usage":{"cost":%b,"x":1}}'),
        (b'{"type":"t","response":{"usage":{"x":1}}}', b'{"type":"t","response":{"usage":{"x":1,"cost":%b}}}'),
    ],
)  # fmt: skip
def test_only_usage_changes(document: bytes, told: bytes) -> None:
    """Wherever it stands, and whatever is around it."""
    assert with_charge(document, CHARGE_NANO) == told % COST


@pytest.mark.parametrize(
    "document",
    [b"", b"ID3\xff", b"[DONE]", b"[1]", b'{"a":1}', b'{"usage":null}', b'{"response":7}', b'{"response":{"a":1}}'],
)  # fmt: skip
def test_what_has_no_usage_stays_the_same_object(document: bytes) -> None:
    """So a caller knows that the charge is not told."""
    assert with_charge(document, CHARGE_NANO) is document
    assert events_with_charge(document, CHARGE_NANO) is document


@given(document=st.binary() | st.text().map(str.encode))
def test_nothing_raises(document: bytes) -> None:
    """Whatever the bytes."""
    assert with_charge(document, CHARGE_NANO) is document
    events_with_charge(document, CHARGE_NANO)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_last_event_with_usage_tells_the_charge(newline: bytes) -> None:
    """The ones before it, and what ends the stream, stay as they are."""
    end = newline * 2
    usage = b'data: {"usage":{"x":1}}' + end
    last = b"event: e" + newline + b'data: {"usage":{"x":2%b}}' + end
    after = b'data: {"usage":null}' + end + b": a comment" + end + DONE
    told = events_with_charge(usage + last % b"" + after, CHARGE_NANO)
    assert told == usage + last % (b',"cost":' + COST) + after
