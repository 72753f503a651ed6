"""Tax in the currency of the seller's tax office."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.command import Ports
from domain.invoicing.document import Fx
from domain.invoicing.exchange import checked_fx, converted
from domain.refusal import BadField
from tests.application.invoicing.world import credit, document, furnish, issue
from tests.fakes import memory_ports

EUR = Fx(currency="EUR", rate="0.9213", source="ECB", on="2025-11-24", tax_minor=1_750)


def fx_of(ports: Ports, document_id: UUID) -> Fx | None:
    return document(ports, document_id).issued.fx


@pytest.mark.parametrize(
    ("tax_minor", "currency", "into", "rate", "there_minor"),
    [
        (1_900, "USD", "EUR", "0.9213", 1_750),
        (1_900, "JPY", "EUR", "0.0061", 1_159),
        (1_900, "EUR", "JPY", "163.27", 3_102),
        (1_900, "KWD", "EUR", "3", 570),
        (50, "USD", "EUR", "0.01", 0),
        (150, "USD", "EUR", "0.01", 2),
    ],
)
def test_tax_is_converted_with_the_decimals_of_both_currencies(
    tax_minor: int, currency: str, into: str, rate: str, there_minor: int
) -> None:
    """And rounded once, half to even."""
    assert converted(tax_minor, currency=currency, into=into, rate=rate) == there_minor


@pytest.mark.parametrize(
    "rate", ["", "0", "0.000", "-1", "1e3", "NaN", "Infinity", "1,5", ".5", "\u0661", "1" * 10]
)
def test_a_rate_is_a_plain_decimal(rate: str) -> None:
    """What a printed document would not explain is refused."""
    with pytest.raises(BadField, match="plain decimal"):
        converted(1, currency="USD", into="EUR", rate=rate)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "USD"}, "another currency"),
        ({"currency": "XXX"}, "ISO 4217"),
        ({"on": "24.11.2025"}, "a day"),
        ({"tax_minor": 1_752}, "follows from its rate: 1750"),
        ({"tax_minor": -1}, "follows from its rate"),
        ({"source": "E\u2028CB"}, "cannot be shown"),
    ],
)
def test_tax_that_does_not_follow_from_its_rate_is_refused(change: dict[str, object], reason: str) -> None:
    """A document never changes, so a slip of the keyboard must not be printed."""
    given_fx = {"currency": "EUR", "rate": "0.9213", "source": "ECB", "on": "2025-11-24", "tax_minor": 1_750}
    with pytest.raises(BadField, match=reason):
        checked_fx(Fx(**(given_fx | change)), currency="USD", tax_minor=1_900)  # type: ignore[arg-type]  # as written above


@settings(max_examples=25)
@given(st.lists(st.integers(min_value=1, max_value=3_000), max_size=6))
def test_the_parts_of_an_invoice_have_the_tax_of_the_whole_there_too(parts: list[int]) -> None:
    """Credit notes are at the invoice's rate, whatever it is on their day."""
    ports = furnish(memory_ports())
    invoice = issue(ports, currency="USD", fx=EUR)
    notes, left = [], 11_900
    for part in parts:
        if part < left:
            notes.append(credit(ports, invoice, part))
            left -= part
    notes.append(credit(ports, invoice))
    told = [fx_of(ports, note) for note in notes]
    assert sum(one.tax_minor for one in told if one is not None) == EUR.tax_minor
    assert all(one is not None and one.tax_minor >= 0 and one.rate == EUR.rate for one in told)


def test_without_a_rate_nothing_is_told() -> None:
    """Of an invoice in the tax office's own currency."""
    ports = furnish(memory_ports())
    invoice = issue(ports)
    assert fx_of(ports, credit(ports, invoice)) is None
