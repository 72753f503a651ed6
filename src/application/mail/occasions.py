"""Which facts somebody gets a mail about, whom, and what it says."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec

from application.command import load
from application.documents.invoice_page import title_of
from application.i18n.locales import SOURCE, Locale, best_locale
from application.invoicing.buyers import buyer_of
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_billing, load_seller
from application.mail.letters import (
    AnyLetter,
    BalanceLow,
    BudgetReached,
    CreditNoteSent,
    InvoiceSent,
    PaymentDue,
    ReceiptSent,
    RefundAccepted,
    RefundDeclined,
)
from application.mail.outbox import Mail
from application.mail.recharge_troubles import RechargeTrouble, trouble_of
from application.mail.recipients import Addressees, Recipient
from application.recharge.change_order import load_order
from domain.auto_recharge.events import (
    AutoRechargeCapReached,
    AutoRechargeDeclined,
    AutoRechargeNeedsCustomer,
    AutoRechargeStopped,
)
from domain.balance_alerts import BalanceLowCrossed
from domain.budgets import budget as budgets
from domain.budgets.events import BudgetAlertRaised
from domain.event import Event
from domain.ids import stream_of
from domain.invoicing.document import CreditNoteIssued, Due, InvoiceIssued
from domain.invoicing.issuing import day_of
from domain.postpaid.events import PaymentReminded
from domain.recharge.events import PaymentCaptured, RechargeCredited, RechargeOrderPlaced
from domain.recharge.order import BY_TRANSFER, INVOICE
from domain.recharge.request_events import RefundRequestAccepted, RefundRequestDeclined


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """Writes the mails that a fact is the occasion of. Raises as `Addressees`."""

    addressees: Addressees
    console_url: str = ""  #: where customers' people sign in; without it there are no buttons

    def mails_about(self, event: Event, stream_id: UUID) -> list[Mail]:
        """None if nobody is to be told, or can be."""
        write = _OCCASIONS.get(type(event))
        return [] if write is None else write(self, event, stream_id)

    def _document(self, issued: InvoiceIssued | CreditNoteIssued, _stream_id: UUID) -> list[Mail]:
        """To the buyer's own address, or else to whom the account's bills concern."""
        buyer = buyer_of(self.addressees.personal, issued)
        if buyer is None:
            return []
        if buyer.email:
            recipients = [
                Recipient(key="buyer", subject_id=issued.subject_id, address=buyer.email, locale=None)
            ]
        else:
            recipients = self.addressees.of_account(issued.account_id, concerned="billing")
        locale = best_locale(issued.locale)
        return [
            _mail(issued.document_id, one, letter=_letter_of(issued), locale=locale) for one in recipients
        ]

    def _budget(self, alert: BudgetAlertRaised, stream_id: UUID) -> list[Mail]:
        budget = load(self.addressees.store, alert.budget_id, None, budgets.evolve)
        letter = BudgetReached(
            percent=alert.percent,
            amount_nano=alert.amount_nano,
            spent_nano=alert.spent_nano,
            scope="account" if alert.key_id is None else "key",
            is_hard=budget is not None and budget.enforcement == "hard",
            budgets_link=self._workspace(alert.account_id),
        )
        found = self.addressees.of_account(alert.account_id, concerned="billing")
        return [_mail(stream_id, one, letter=letter, locale=one.locale or SOURCE) for one in found]

    def _low(self, crossed: BalanceLowCrossed, stream_id: UUID) -> list[Mail]:
        letter = BalanceLow(
            balance_nano=crossed.balance_nano,
            threshold_nano=crossed.threshold_nano,
            recharge_link=self._workspace(crossed.account_id),
        )
        found = self.addressees.of_account(crossed.account_id, concerned="billing")
        return [_mail(stream_id, one, letter=letter, locale=one.locale or SOURCE) for one in found]

    def _credited(self, credited: RechargeCredited, _stream_id: UUID) -> list[Mail]:
        """Where the invoice comes by itself, it says that it is paid, or until when it is to be; else a receipt does."""
        if credited.provider == INVOICE:
            return []
        store = self.addressees.store
        billed = load_billing(store, credited.account_id).profile is not None
        invoicing = load_invoicing(store)
        if credited.mode != "live" or (invoicing.is_on and billed):
            return []
        order = load_order(store, credited.order_id)
        home = self._workspace(credited.account_id) if invoicing.is_on else ""
        return self._receipt(credited, order.placed, gross_minor=credited.gross_minor, billing_link=home)

    def _paid(self, captured: PaymentCaptured, _stream_id: UUID) -> list[Mail]:
        """For an order on account; any other is credited by its payment, which is told of."""
        if captured.provider != INVOICE:
            return []
        placed = load_order(self.addressees.store, captured.order_id).placed
        return self._receipt(captured, placed, gross_minor=captured.gross_minor)

    def _receipt(
        self,
        paid: RechargeCredited | PaymentCaptured,
        placed: RechargeOrderPlaced,
        *,
        gross_minor: int,
        billing_link: str = "",
    ) -> list[Mail]:
        letter = ReceiptSent(
            order_id=placed.order_id,
            reference=placed.reference,
            paid_on=day_of(paid.occurred_us, "UTC"),
            gross_minor=gross_minor,
            currency=placed.currency,
            exponent=placed.exponent,
            credits_nano=placed.credits_nano,
            billing_link=billing_link,
            on_account=placed.provider == INVOICE,
        )
        terms = load_invoicing(self.addressees.store).current
        usual = SOURCE if terms is None else best_locale(terms.locale)
        found = self.addressees.of_account(placed.account_id, concerned="billing")
        return [_mail(placed.order_id, one, letter=letter, locale=one.locale or usual) for one in found]

    def _reminded(self, reminded: PaymentReminded, stream_id: UUID) -> list[Mail]:
        """Of what is to be paid soon, or should have been."""
        store = self.addressees.store
        terms, home = load_invoicing(store).current, self._workspace(reminded.account_id)
        seller_id = None if terms is None else terms.seller_id
        zone = "UTC" if seller_id is None else load_seller(store, seller_id).seller.zone
        letter = PaymentDue(
            is_overdue=reminded.stage == "overdue",
            reference=reminded.reference,
            amount_minor=reminded.amount_minor,
            currency=reminded.currency,
            exponent=reminded.exponent,
            due_on=day_of(reminded.due_us - 1, zone),
            order_link=f"{home}/orders/{reminded.order_id}" if home else "",
        )
        about = stream_of(stream_id, f"{reminded.order_id} {reminded.stage}")
        found = self.addressees.of_account(reminded.account_id, concerned="billing")
        return [_mail(about, one, letter=letter, locale=one.locale or SOURCE) for one in found]

    def _refund(self, decided: RefundRequestAccepted | RefundRequestDeclined, _stream_id: UUID) -> list[Mail]:
        """What became of a refund that the customer asked for."""
        order = load_order(self.addressees.store, decided.order_id)
        placed = order.placed
        if placed.mode != "live":
            return []
        home = self._workspace(order.account_id)
        link = f"{home}/orders/{order.order_id}" if home else ""
        letter: AnyLetter
        if isinstance(decided, RefundRequestDeclined):
            letter = RefundDeclined(reference=placed.reference, reason=decided.reason, order_link=link)
        else:
            refund = order.refunds[decided.made_as or decided.refund_id]
            letter = RefundAccepted(
                reference=placed.reference,
                amount_minor=refund.amount_minor,
                currency=placed.currency,
                exponent=placed.exponent,
                by_transfer=placed.provider in BY_TRANSFER,
                set_off=refund.set_off,
                order_link=link,
            )
        found = self.addressees.of_account(order.account_id, concerned="billing")
        return [_mail(decided.refund_id, one, letter=letter, locale=one.locale or SOURCE) for one in found]

    def _recharge(self, event: RechargeTrouble, stream_id: UUID) -> list[Mail]:
        """Why a low balance is not recharged by itself."""
        home = self._workspace(event.account_id)
        letter = trouble_of(event, store=self.addressees.store, home=home)
        if letter is None:
            return []
        about = stream_of(stream_id, f"{event.TOPIC} {event.occurred_us}")
        found = self.addressees.of_account(event.account_id, concerned="billing")
        return [_mail(about, one, letter=letter, locale=one.locale or SOURCE) for one in found]

    def _workspace(self, account_id: UUID) -> str:
        return f"{self.console_url}/app/{account_id}" if self.console_url else ""


def _mail(about: UUID, to: Recipient, *, letter: AnyLetter, locale: Locale) -> Mail:
    return Mail(
        mail_id=stream_of(about, f"mail:{to.key}"),
        subject_id=to.subject_id,
        to=to.address,
        locale=locale,
        letter=letter,
    )


def _letter_of(issued: InvoiceIssued | CreditNoteIssued) -> AnyLetter:
    said: dict[str, Any] = {
        "document_id": issued.document_id,
        "title": title_of(issued),
        "number": issued.number_text,
        "issued_on": issued.issued_on,
        "total_minor": issued.total_minor,
        "currency": issued.currency,
        "exponent": issued.exponent,
    }
    if isinstance(issued, CreditNoteIssued):
        return CreditNoteSent(**said, invoice_number=issued.refers_to.number_text)
    note = issued.reinstates.number_text if issued.reinstates else ""
    due = issued.due if isinstance(issued.due, Due) else None
    return InvoiceSent(
        **said,
        is_paid=issued.payment is not None,
        due_on=due.on if due else "",
        reference=due.reference if due else "",
        note_number=note,
    )


_OCCASIONS: Final[dict[type[Event], Callable[[Writer, Any, UUID], list[Mail]]]] = {
    InvoiceIssued: Writer._document,  # noqa: SLF001  # of this file
    CreditNoteIssued: Writer._document,  # noqa: SLF001  # of this file
    RechargeCredited: Writer._credited,  # noqa: SLF001  # of this file
    PaymentCaptured: Writer._paid,  # noqa: SLF001  # of this file
    PaymentReminded: Writer._reminded,  # noqa: SLF001  # of this file
    RefundRequestAccepted: Writer._refund,  # noqa: SLF001  # of this file
    RefundRequestDeclined: Writer._refund,  # noqa: SLF001  # of this file
    BalanceLowCrossed: Writer._low,  # noqa: SLF001  # of this file
    AutoRechargeNeedsCustomer: Writer._recharge,  # noqa: SLF001  # of this file
    AutoRechargeDeclined: Writer._recharge,  # noqa: SLF001  # of this file
    AutoRechargeCapReached: Writer._recharge,  # noqa: SLF001  # of this file
    AutoRechargeStopped: Writer._recharge,  # noqa: SLF001  # of this file
    BudgetAlertRaised: Writer._budget,  # noqa: SLF001  # of this file
}
TOPICS: Final = frozenset(kind.TOPIC for kind in _OCCASIONS)
