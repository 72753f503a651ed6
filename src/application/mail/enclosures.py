"""The files that go with letters: printed when the mail leaves, or kept since they were printed first."""

from collections.abc import Sequence

import msgspec

from application.i18n.locales import Locale
from application.invoicing.files import DocumentFiles
from application.invoicing.order_receipts import OrderReceipts
from application.mail.letters import AnyLetter, CreditNoteSent, InvoiceSent, ReceiptSent
from application.mail.message import Attachment


class Enclosures(msgspec.Struct, frozen=True, kw_only=True):
    """See `application.mail.deliver.Enclose`."""

    files: DocumentFiles
    receipts: OrderReceipts

    def __call__(self, letter: AnyLetter, locale: Locale) -> Sequence[Attachment]:
        if isinstance(letter, InvoiceSent | CreditNoteSent):
            name = letter.number.replace("/", "-")
            return [Attachment(f"{name}.pdf", self.files.pdf(letter.document_id))]
        if isinstance(letter, ReceiptSent):
            return [Attachment(f"{letter.reference}.pdf", self.receipts.pdf(letter.order_id, locale=locale))]
        return []
