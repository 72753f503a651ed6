"""Bills of model providers."""

import pytest
from msgspec.structs import replace

from application.money.book_cost import BookProviderCost, handle
from domain.fact import SYSTEM
from domain.refusal import AlreadyExists
from tests.fakes import memory_ports

BILL = BookProviderCost(
    provider="openai", period="2026-11", invoice_ref="A-1", amount_minor=50_000, currency="USD"
)


def test_repeating_the_command_books_once() -> None:
    """Another bill under the number is refused; numbers are each provider's own."""
    ports = memory_ports()
    assert handle(BILL, actor=SYSTEM, ports=ports).events
    assert not handle(BILL, actor=SYSTEM, ports=ports).events
    with pytest.raises(AlreadyExists):
        handle(replace(BILL, amount_minor=1), actor=SYSTEM, ports=ports)
    assert handle(replace(BILL, provider="mistral"), actor=SYSTEM, ports=ports).events
