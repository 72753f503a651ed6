"""The receipt for an order that was paid: that of its invoice, or, while there is none, one of its own. Printed when it is asked for."""

from uuid import UUID

import msgspec

from application.documents.page import Printer
from application.documents.receipt_page import receipt_page
from application.eventlog import EventStore
from application.i18n.locales import Locale
from application.invoicing.files import DocumentFiles
from application.invoicing.queries import invoice_of
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_document, load_seller
from application.names import NameBook
from application.recharge.change_order import load_order


class OrderReceipts(msgspec.Struct, frozen=True, kw_only=True):
    """Blocking, for seconds; safe to use from threads."""

    store: EventStore
    names: NameBook
    printer: Printer
    files: DocumentFiles

    def pdf(self, order_id: UUID, *, locale: Locale) -> bytes:
        """The receipt; in the invoice's language if there is one.

        Raises:
            NotFound: there is no such order.
            WrongState: it is not credited, or was a test.
            Others as `DocumentFiles.receipt`.
        """
        order = load_order(self.store, order_id)
        if load_document(self.store, invoice_of(order_id)) is not None:
            return self.files.receipt(invoice_of(order_id))
        terms = load_invoicing(self.store).current
        seller_id = None if terms is None else terms.seller_id
        seller = None if seller_id is None else load_seller(self.store, seller_id).seller
        holder = self.names.get([order.account_id]).get(order.account_id, str(order.account_id))
        return self.printer.print_pdf(receipt_page(order, seller=seller, holder=holder, locale=locale))
