"""The figures of a month that two sources must agree about: what the postings have booked, and what somebody else tells.

`booked` goes by the posting rules; `told` reads the facts themselves and knows no rule: what documents say, what the lines of a
provider add up to, what orders have under way. So a rule that is wrong, and a fact that one side lacks, both show.

Amounts are minor units of the ledger's currency, in `CREDIT` nano-credits; what comes to us or is owed by us is positive.
"""

from collections.abc import Iterator
from typing import Final, Literal, get_args

import msgspec

from domain.event import Event
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.ledger.claim_events import FrozenCreditTaken
from domain.money.events import PAYMENTS, ProviderCostBooked, PspLineRecorded
from domain.money.postings import MoneyRules, ledger_of, money_postings
from domain.postpaid.events import AccountOrderPaid, AccountOrderReduced, BoughtOnAccount
from domain.recharge.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeLost,
    ExternalRefundObserved,
    PaymentCaptured,
    RechargeCredited,
    RefundApproved,
    RefundFailed,
    RefundSucceeded,
)
from domain.recharge.order import BY_TRANSFER, INVOICE, MANUAL

FigureName = Literal[
    "deferred",
    "tax",
    "refunds_under_way",
    "disputes_under_way",
    "receivable",
    "transfers",
    "received",
    "refunded",
    "disputed",
    "fees",
    "paid_out",
    "unmatched",
    "bills",
    "bought",
    "gone_back",
]
NAMES: Final[tuple[FigureName, ...]] = get_args(FigureName)
CREDIT: Final = "credit"
"""The ledger of figures that are credit, not money."""
_BY_HEAD: Final[dict[str, tuple[FigureName, int]]] = {
    "deferred_revenue": ("deferred", -1),
    "tax": ("tax", -1),
    "refund_payable": ("refunds_under_way", -1),
    "dispute_receivable": ("disputes_under_way", 1),
    "customer_receivable": ("receivable", 1),
    "fees": ("fees", 1),
    "unmatched": ("unmatched", -1),
    "provider_cost": ("bills", 1),
}
#: What a movement at the provider is, by the fact that made it.
_AT_PSP: Final[dict[str, FigureName]] = {
    "order.credited.v1": "received",
    "order.dispute-funds-withdrawn.v1": "disputed",
    "order.dispute-funds-reinstated.v1": "disputed",
}
#: What accounts owe for what they bought, as their limits count it.
OWED: Final = (BoughtOnAccount, AccountOrderPaid, AccountOrderReduced)
_PARTIES: Final = frozenset({"psp", "dispute_receivable", "fees", "unmatched", "provider_cost"})


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a figure."""

    ledger: str
    name: FigureName
    party: str = ""  #: the provider that it is at
    amount: int


def booked(rules: MoneyRules, event: Event) -> Iterator[Figure]:
    """What a fact adds by the posting rules; of credit, by itself."""
    if isinstance(event, RechargeCredited):
        yield Figure(ledger=CREDIT, name="bought", amount=event.credits_nano)
    if isinstance(event, RefundSucceeded | ExternalRefundObserved | DisputeLost):
        yield Figure(ledger=CREDIT, name="gone_back", amount=event.credits_nano)
    for posting in money_postings(rules, event):
        for account, amount in (
            (posting.debit, posting.amount_minor),
            (posting.credit, -posting.amount_minor),
        ):
            head, _, rest = account.partition(":")
            known = _by_account(event, head)
            if known is not None:
                name, sign = known
                party = rest if head in _PARTIES else ""
                yield Figure(ledger=posting.ledger, name=name, party=party, amount=sign * amount)


def _by_account(event: Event, head: str) -> tuple[FigureName, int] | None:
    is_line = isinstance(event, PspLineRecorded)
    if head == "bank":
        return ("paid_out", 1) if is_line else ("transfers", 1)
    if head == "psp":
        return None if is_line else (_AT_PSP.get(event.TOPIC, "refunded"), 1)
    return _BY_HEAD.get(head)


def told(event: Event) -> Iterator[Figure]:
    """What a fact says of the same figures, whatever the rules are."""
    match event:
        case PspLineRecorded():
            yield from _line(event)
        case InvoiceIssued() | CreditNoteIssued():
            yield from _document(event)
        case RechargeCredited() | PaymentCaptured():
            yield from _transfer(event)
        case BoughtOnAccount() | AccountOrderPaid() | AccountOrderReduced():
            sign = 1 if isinstance(event, BoughtOnAccount) else -1
            yield _of(event, "receivable", sign * event.amount_minor)
        case RefundApproved() | RefundSucceeded() | RefundFailed():
            yield from _refund(event)
        case DisputeFundsWithdrawn():
            yield _of(event, "disputes_under_way", event.amount_minor, event.provider)
        case DisputeFundsReinstated() | DisputeLost():
            yield _of(event, "disputes_under_way", -event.amount_minor, event.provider)
        case ProviderCostBooked():
            yield _of(event, "bills", event.amount_minor, event.provider)
        case FrozenCreditTaken():
            # What was spent is owed; the rest of what has gone back stands on statements.
            yield Figure(ledger=CREDIT, name="gone_back", amount=event.owed_nano)
        case _:
            pass


def _transfer(event: RechargeCredited | PaymentCaptured) -> Iterator[Figure]:
    """An order that is paid by transfer says so when it is credited; one on account, when it is paid."""
    if event.provider == (MANUAL if isinstance(event, RechargeCredited) else INVOICE):
        yield _of(event, "transfers", event.gross_minor)


def _line(line: PspLineRecorded) -> Iterator[Figure]:
    yield _of(line, "fees", line.fee_minor, line.provider)
    if line.payout_minor:
        yield _of(line, "paid_out", line.payout_minor)
    elif line.other_minor:
        yield _of(line, "unmatched", line.other_minor, line.provider)
    else:
        name: FigureName = "refunded" if "refund" in line.kind else "disputed"
        yield _of(line, "received" if line.kind in PAYMENTS else name, line.gross_minor, line.provider)


def _document(issued: InvoiceIssued | CreditNoteIssued) -> Iterator[Figure]:
    """Those of orders; what else is invoiced is no credit."""
    if issued.order_id is not None:
        sign = 1 if isinstance(issued, InvoiceIssued) else -1
        yield _of(issued, "deferred", sign * issued.net_minor)
        yield _of(issued, "tax", sign * issued.tax_minor)


def _refund(event: RefundApproved | RefundSucceeded | RefundFailed) -> Iterator[Figure]:
    """Approved, it is not the customer's credit any more, and has no credit note before it is made."""
    came_back = isinstance(event, RefundFailed) and event.succeeded is True
    paid_back = isinstance(event, RefundSucceeded) and event.set_off is not True
    if event.provider in BY_TRANSFER and (came_back or paid_back):
        yield _of(event, "transfers", event.amount_minor if came_back else -event.amount_minor)
    if came_back or (isinstance(event, RefundFailed) and not event.approved):
        return
    sign = 1 if isinstance(event, RefundApproved) else -1
    yield _of(event, "refunds_under_way", sign * event.amount_minor)
    yield _of(event, "deferred", -sign * event.tax.net_minor)
    yield _of(event, "tax", -sign * event.tax.tax_minor)


_InMoney = (
    PspLineRecorded
    | InvoiceIssued
    | CreditNoteIssued
    | RechargeCredited
    | PaymentCaptured
    | BoughtOnAccount
    | AccountOrderPaid
    | AccountOrderReduced
    | RefundApproved
    | RefundSucceeded
    | RefundFailed
    | DisputeFundsWithdrawn
    | DisputeFundsReinstated
    | DisputeLost
    | ProviderCostBooked
)


def _of(event: _InMoney, name: FigureName, amount: int, party: str = "") -> Figure:
    mode = getattr(event, "mode", msgspec.UNSET) or "live"
    return Figure(ledger=ledger_of(event.currency, mode), name=name, party=party, amount=amount)
