"""The read model `documents`."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from application.eventlog import NewEvent, RecordedEvent
from application.invoicing import erase_billing
from application.invoicing.queries import DocumentFilter, credit_note_of, invoice_of, taking_back
from domain.fact import SYSTEM
from domain.recharge.events import (
    DisputeLost,
    ExternalRefundObserved,
    ExternalRefundReversed,
    RechargeCredited,
    RefundFailed,
    RefundSucceeded,
)
from domain.recharge.offers import TaxQuote
from projections.document_reader import DocumentReader
from projections.documents import Documents
from projections.generations import install
from projections.projection import Pool
from tests.application.invoicing.world import ACCOUNT, credit, furnish, issue, take_back
from tests.fakes import MemoryEventStore, memory_ports
from tests.histories import numbered
from tests.projections.lab import Lab

A, B, C, D = (UUID(int=number) for number in (2001, 2002, 2003, 2004))
STRANGER = UUID(int=2100)
TAX = TaxQuote(country="DE", rate_ppm=190_000, net_minor=10_000, tax_minor=1_900)
STAMP = {"occurred_us": 50, "actor": "system"}


def _credited(
    order_id: UUID, *, account_id: UUID = ACCOUNT, mode: str = "live", at_us: int = 50
) -> RechargeCredited:
    return RechargeCredited(
        order_id=order_id,
        account_id=account_id,
        lot_id=order_id,
        credits_nano=10**9,
        provider="stripe",
        mode=mode,  # type: ignore[arg-type]  # literals
        payment_ref="pi",
        currency="EUR",
        exponent=2,
        gross_minor=11_900,
        tax=TAX,
        occurred_us=at_us,
        actor="system",
    )


_BACK = {"account_id": ACCOUNT, "provider": "stripe", "amount_minor": 11_900, "currency": "EUR", "tax": TAX}


def _orders() -> list[NewEvent]:
    """Credited: one that is refunded by us, one whose account has no billing profile, a test, one that was refunded and lost outside."""
    a = [
        _credited(A),
        RefundSucceeded(
            order_id=A, refund_id=UUID(int=1), refund_ref="re_1", credits_nano=1, **_BACK, **STAMP
        ),  # type: ignore[arg-type]  # of many kinds
    ]
    b = [_credited(B, account_id=STRANGER)]
    c = [_credited(C, mode="test")]
    d = [
        _credited(D, at_us=10),
        ExternalRefundObserved(order_id=D, refund_ref="re_2", credits_nano=1, **_BACK, **STAMP),  # type: ignore[arg-type]  # likewise
        ExternalRefundReversed(order_id=D, refund_ref="re_2", credits_nano=1, **_BACK, **STAMP),  # type: ignore[arg-type]  # likewise
        DisputeLost(order_id=D, dispute_ref="du_1", credits_nano=1, **_BACK, **STAMP),  # type: ignore[arg-type]  # likewise
    ]
    found: list[NewEvent] = []
    for order_id, events in ((A, a), (B, b), (C, c), (D, d)):
        found += numbered(order_id, 1, events)
    return found


def _issued() -> Sequence[RecordedEvent]:
    """By the use cases: two invoices in the clear, one of them of order A, and a credit note; and a billing profile."""
    ports = furnish(memory_ports())
    first = issue(ports, 5_000)
    credit(ports, first, 2_000)
    issue(ports, 11_900, invoice_id=invoice_of(A))
    assert isinstance(ports.store, MemoryEventStore)
    return ports.store.log


def _feed(lab: Lab) -> None:
    lab.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in _issued()])
    lab.log.extend(_orders())


@pytest.fixture
def desk(pool: Pool) -> Lab:
    """This read model alone: what the orders went through before is nothing to it."""
    with pool.connection() as connection:
        install(connection, [Documents()])
    return Lab(pool, [Documents()])


@pytest.fixture
def reader(desk: Lab) -> DocumentReader:
    _feed(desk)
    desk.catch_up()
    return DocumentReader(desk.pool)


def test_documents_are_found_by_what_they_are(reader: DocumentReader) -> None:
    """Newest first, page after page; an invoice says what was taken back of it."""
    page = reader.documents(DocumentFilter(account_id=ACCOUNT), limit=2)
    rest = reader.documents(DocumentFilter(account_id=ACCOUNT), before_position=page.next_before, limit=2)
    found = [*page.items, *rest.items]
    assert [one.number for one in found] == ["INV-000002", "CN-000001", "INV-000001"]
    assert rest.next_before is None
    assert [(one.total_minor, one.credited_minor) for one in found] == [
        (11_900, 0),
        (2_000, 0),
        (5_000, 2_000),
    ]
    (note,) = reader.documents(DocumentFilter(kind="credit_note")).items
    assert note.invoice_id == found[2].document_id
    assert note.net_minor + note.tax_minor == note.total_minor
    assert [one.number for one in reader.documents(DocumentFilter(number="INV-000001")).items] == [
        "INV-000001"
    ]
    assert reader.documents(DocumentFilter(order_id=A)).items == ()  # it was issued by hand
    assert reader.documents(DocumentFilter(account_id=STRANGER)).items == ()


def _due(reader: DocumentReader, **asked: object) -> list[tuple[UUID, str]]:
    return [(one.document_id, one.state) for one in reader.due(**asked).items]  # type: ignore[arg-type]  # of many kinds


def test_what_facts_call_for_is_due_until_it_is_issued(reader: DocumentReader) -> None:
    """Orders without a billing profile wait for one, credit notes for their invoice; tests, and refunds that came to nothing, call for
    none."""
    note = credit_note_of(A, f"refund:{UUID(int=1)}")
    lost = credit_note_of(D, "dispute:du_1")
    assert _due(reader) == [
        (note, "due"),
        (invoice_of(B), "waits_for_billing"),
        (invoice_of(D), "due"),
        (lost, "waits_for_invoice"),
    ]
    assert _due(reader, ready=True) == [(note, "due"), (invoice_of(D), "due")]
    assert _due(reader, from_us=50, ready=True) == [(note, "due")]
    page = reader.due(limit=1)
    assert [one.document_id for one in reader.due(after_position=page.next_after or 0, limit=1).items] == [
        invoice_of(B)
    ]
    due = page.items[0]
    assert (due.tax, due.amount_minor, due.cause, due.invoice_id) == (TAX, 11_900, "refund", invoice_of(A))


def test_a_refund_that_comes_back_takes_its_credit_note_back(desk: Lab) -> None:
    """If that was issued, also by somebody who did not know yet; else neither is called for any more."""
    ports = furnish(memory_ports())
    first = issue(ports, 11_900, invoice_id=invoice_of(A))
    key = f"refund:{UUID(int=1)}"
    note_id = credit(ports, first, note_id=credit_note_of(A, key))
    assert isinstance(ports.store, MemoryEventStore)
    papers = [NewEvent(one.stream_id, one.version, one.topic, one.state) for one in ports.store.log]
    made = RefundSucceeded(
        order_id=A, refund_id=UUID(int=1), refund_ref="re_1", credits_nano=1, **_BACK, **STAMP
    )  # type: ignore[arg-type]  # of many kinds
    failed = RefundFailed(
        order_id=A, refund_id=UUID(int=1), approved=True, reason="x", succeeded=True, **_BACK, **STAMP
    )  # type: ignore[arg-type]  # likewise
    never = RefundFailed(order_id=A, refund_id=UUID(int=2), approved=True, reason="x", **_BACK, **STAMP)  # type: ignore[arg-type]  # likewise
    desk.log.extend(numbered(A, 1, [_credited(A), made, failed, never]))
    desk.catch_up()
    reader = DocumentReader(desk.pool)
    assert _due(reader) == [(invoice_of(A), "waits_for_billing")]
    desk.log.extend(papers)
    desk.catch_up()
    assert _due(reader, ready=True) == [(taking_back(A, key), "due")]
    assert reader.due().items[0].note_id == note_id
    take_back(ports, note_id, invoice_id=taking_back(A, key))
    newer = ports.store.log[len(papers) :]
    desk.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in newer])
    desk.catch_up()
    assert _due(reader) == []
    found = {one.document_id: one for one in reader.documents(DocumentFilter()).items}
    assert (found[first].credited_minor, found[taking_back(A, key)].invoice_id) == (0, first)
    assert desk.rebuild(Documents.name) == desk.hashes()[Documents.name]


def test_before_the_read_model_is_made_nothing_is_due(pool: Pool) -> None:
    """A worker may look before it has made the tables."""
    assert DocumentReader(pool).due().items == ()


@pytest.mark.parametrize("batch_events", [1, 3, 100])
def test_a_rebuild_is_equal(desk: Lab, batch_events: int) -> None:
    """P10 and P11: in whatever batches, and if all of it comes twice."""
    _feed(desk)
    desk.catch_up(batch_events=batch_events)
    before = desk.hashes()[Documents.name]
    desk.rewind(0)
    desk.catch_up(batch_events=batch_events)
    assert desk.hashes()[Documents.name] == before
    assert desk.rebuild(Documents.name) == before


def test_an_erased_buyer_is_billed_no_more(desk: Lab) -> None:
    """Their orders wait."""
    ports = furnish(memory_ports())
    erase_billing.handle(
        erase_billing.EraseBilling(account_id=ACCOUNT, reason="asked for"), actor=SYSTEM, ports=ports
    )
    assert isinstance(ports.store, MemoryEventStore)
    desk.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in ports.store.log])
    desk.log.extend(numbered(A, 1, [_credited(A)]))
    desk.catch_up()
    assert _due(DocumentReader(desk.pool)) == [(invoice_of(A), "waits_for_billing")]
