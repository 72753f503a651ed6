"""The documents of a series, as pages list them."""

from application.invoicing.list_documents import list_documents
from application.invoicing.streams import load_seller
from tests.application.invoicing.world import SELLER, credit, furnish, issue
from tests.fakes import memory_ports


def test_documents_are_listed_by_number_newest_first_without_a_gap_between_pages() -> None:
    """With what is left of an invoice; a series without documents is an empty page."""
    ports = furnish(memory_ports())
    book = load_seller(ports.store, SELLER)
    invoices = book.newest("invoice")
    assert list_documents(ports.store, invoices).items == ()
    ids = [issue(ports, 11_900) for _ in range(5)]
    credit(ports, ids[4], 1_900)
    page = list_documents(ports.store, invoices, limit=2)
    assert [(row.number, row.left_minor) for row in page.items] == [(5, 10_000), (4, 11_900)]
    assert page.last == 5
    rest = [row.number for row in page.items]
    while page.next_before is not None:
        page = list_documents(ports.store, invoices, before=page.next_before, limit=2)
        rest += [row.number for row in page.items]
    assert rest == [5, 4, 3, 2, 1]
    (note,) = list_documents(ports.store, book.newest("credit_note")).items
    assert note.left_minor is None
    assert list_documents(ports.store, invoices, before=1).items == ()
