"""What has to be so before an account buys on account, beyond its limit."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.eventlog import EventStore
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_billing, load_seller
from application.ledger.wallet_reader import load_wallet
from application.postpaid.stream import load_postpaid
from domain.fact import Stamp
from domain.invoicing.parties import Seller
from domain.ledger.refusals import AccountInDebt
from domain.postpaid.owing import due_of, terms_of
from domain.refusal import Refusal, WrongState


class NoInvoicePossible(Refusal):
    """Nobody would be told what to pay and by when; nothing was ordered."""

    code: ClassVar[str] = "invoice_not_possible"


def due_us_of(account_id: UUID, currency: str, at: Stamp, store: EventStore) -> int:
    """Until when an order of now is to be paid: the end of a day of the seller's.

    Raises:
        NotOnAccount, PaymentOverdue, NoInvoicePossible, AccountInDebt: see there.
        WrongState: the account is not open.
    """
    status = load_account(store, account_id).status
    if status != "open":
        raise WrongState("account", status)
    limit = terms_of(load_postpaid(store, account_id), currency=currency, now_us=at.now_us)
    owed_nano = load_wallet(store, account_id).wallet.owed_nano
    if owed_nano:
        raise AccountInDebt(owed_nano=owed_nano)
    zone = _seller(account_id, store).zone
    return due_of(at.now_us, days=limit.days_to_pay, zone=zone)


def _seller(account_id: UUID, store: EventStore) -> Seller:
    """Who sends the invoice."""
    terms = load_invoicing(store).current
    if terms is None or terms.seller_id is None:
        raise NoInvoicePossible("no seller issues invoices by itself")
    if load_billing(store, account_id).profile is None:
        raise NoInvoicePossible("the account has no billing profile")
    return load_seller(store, terms.seller_id).seller
