"""What a receipt says, and what a person can do with it."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sealing.ed25519 import Ed25519Signer, verify
from domain.ledger.events import Units
from domain.pricing import charge_nano
from domain.receipts.checking import BadReceipt, check_receipt
from domain.receipts.formula import formula
from domain.sealing.checkpoint import open_checkpoint
from domain.sealing.notes import BadNote, sign_note
from tests.domain.ledger.facts import ACCOUNT, FIRST, LEASE
from tests.domain.receipts import issued

CHARGED = issued.charged()


def test_a_charge_can_be_done_again_with_paper() -> None:
    """The lines are multiplied, added, multiplied by the factors, divided and rounded half to even."""
    shown = msgspec.to_builtins(issued.receipt(CHARGED))["formula"]
    whole = sum(line["quantity"] * line["nano_per_million"] for line in shown["lines"])
    assert [(line["unit"], line["quantity"]) for line in shown["lines"]] == [
        ("input", 900),
        ("cached_input", 100),
        ("output", 51),
        ("requests", 1),
    ]
    assert shown["sum"] == str(whole)
    exact = Fraction(whole * shown["markup_ppm"] * shown["factor_ppm"], 10**18)
    assert shown["cost_nano"] == round(exact) == CHARGED.charge_nano


@given(units=st.builds(Units, input=st.integers(0, 10**7), output=st.integers(0, 10**7)))
def test_a_formula_is_right_and_says_what_was_charged(units: Units) -> None:
    """Each step leads to the next, and the last to what the ledger charged."""
    price = issued.PRICE
    made = formula(units, price.price, markup_ppm=price.markup_ppm, factor_ppm=500_000)
    assert made.is_right
    assert made.cost_nano == charge_nano(units, price.price, price.markup_ppm, factor_ppm=500_000)
    assert not msgspec.structs.replace(made, cost_nano=made.cost_nano + 1).is_right


def test_what_is_above_the_hold_is_the_operators() -> None:
    """Charge and shortfall together are the cost, and both are posted."""
    made = issued.receipt(issued.charged(hold_nano=1_000))
    assert made.formula is not None
    assert made.charge_nano == 1_000
    assert made.charge_nano + made.shortfall_nano == made.formula.cost_nano
    assert [(one.debit, one.amount_nano) for one in made.postings] == [
        (f"leased:{ACCOUNT}:{LEASE}", 1_000),
        ("expense:shortfall", made.shortfall_nano),
    ]


def test_customers_are_shown_no_more_than_elsewhere() -> None:
    """No deployment, no credential, no id at the provider, no line of the event."""
    text = issued.receipt(CHARGED).line.decode()
    for secret in (issued.DEPLOYMENT, "req_of_the_provider", "credential", "deployment"):
        assert str(secret) not in text


def test_the_line_is_the_form_that_is_written_down() -> None:
    """Its beginning tells it from a checkpoint, and its members stand in the documented order."""
    line = issued.receipt(CHARGED).line
    assert line.startswith(b'{"receipt":"tokenok.receipt/v1","request_id":')
    assert list(msgspec.json.decode(line)) == [
        *("receipt", "request_id", "account_id", "key_id", "model", "operation", "state", "error_code"),
        *("event", "price", "usage", "formula", "hold_nano", "charge_nano", "shortfall_nano"),
        *("attempts", "postings"),
    ]
    with pytest.raises(BadNote):
        open_checkpoint(sign_note(line, issued.LOG), [issued.LOG.public], verify)


@pytest.mark.parametrize("event", [CHARGED, issued.RELEASED, issued.ABANDONED])
def test_a_receipt_is_checked_without_anybody(event: Any) -> None:
    """File and public keys suffice, for every way in which a request ends."""
    found = check_receipt(msgspec.json.encode(issued.document(event)), issued.KEYS, verify)
    assert found.request_id == str(FIRST)
    assert found.charge_nano == (CHARGED.charge_nano if event is CHARGED else 0)
    assert (found.signed_by, found.log, found.log_size) == ("example.com/log/receipts", "example.com/log", 10)
    assert "the seal" in found.checked
    assert found.not_checked == ()


def test_what_is_not_there_is_said_not_to_be_checked() -> None:
    """Before the event is sealed, and without the line, which customers do not get."""
    data = msgspec.json.encode(issued.document(CHARGED, with_leaf=False, is_sealed=False))
    found = check_receipt(data, issued.KEYS, verify)
    assert found.log is None
    assert found.checked == ("the signature", "the formula", "the charge")
    assert len(found.not_checked) == 2


def test_without_the_logs_key_the_seal_is_not_checked() -> None:
    """And with a stranger's keys nothing is."""
    data = msgspec.json.encode(issued.document(CHARGED))
    found = check_receipt(data, [issued.RECEIPTS.public], verify)
    assert found.not_checked == ("the seal: the public key of the log was not given",)
    stranger = Ed25519Signer("example.com/log/receipts", bytes(32)).public
    with pytest.raises(BadReceipt):
        check_receipt(data, [stranger], verify)


@given(data=st.data())
def test_every_change_of_the_file_is_found(data: st.DataObject) -> None:
    """P21 for receipts: a digit of a figure, of the signature, the line or the proof."""
    file = msgspec.json.encode(issued.document(CHARGED))
    digits = [place for place, byte in enumerate(file) if byte in b"0123456789"]
    place = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from(b"0123456789").filter(lambda byte: byte != file[place]))
    with pytest.raises(BadReceipt):
        check_receipt(file[:place] + bytes([other]) + file[place + 1 :], issued.KEYS, verify)


def _set(name: str, value: Any) -> Any:
    def change(receipt: dict[str, Any]) -> None:
        place = receipt
        *folders, last = name.split(".")
        for folder in folders:
            place = place[folder]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("charge_nano", CHARGED.charge_nano - 1),
        ("shortfall_nano", 1),
        ("hold_nano", 1),
        ("formula.cost_nano", 5),
        ("formula.sum", "5"),
        ("formula", None),
        ("request_id", str(LEASE)),
        ("account_id", str(LEASE)),
        ("event.position", 8),
        ("event.leaf_hash", "A" * 43 + "="),
        ("receipt", "tokenok.receipt/v2"),
    ],
)
def test_the_operator_cannot_sign_what_does_not_fit(name: str, value: Any) -> None:
    """Figures that contradict each other or the sealed event are found though the signature is right."""
    file = issued.signed_again(issued.document(CHARGED), _set(name, value))
    with pytest.raises(BadReceipt):
        check_receipt(msgspec.json.encode(file), issued.KEYS, verify)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"receipt":{},"note":null}', b'{"receipt":1,"note":"x"}']
)
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """Whatever the file is."""
    with pytest.raises(BadReceipt):
        check_receipt(data, issued.KEYS, verify)
