"""What surfaces may ask about limits and what is owed within them: the answers' shapes and the port that gives them. As last projected."""

from typing import Protocol
from uuid import UUID

import msgspec

from application.reports.reviews import ReviewQueue
from domain.postpaid.postpaid import Limit, Postpaid, Proposal


class Receivable(msgspec.Struct, frozen=True, kw_only=True):
    """An order on account that is not paid. Money is minor units of the currency, tax included; times are Unix microseconds."""

    account_id: UUID
    order_id: UUID
    reference: str  #: what the customer writes on the transfer
    unpaid_minor: int
    currency: str
    exponent: int
    bought_us: int
    due_us: int
    is_overdue: bool
    days_overdue: int  #: whole days since it was due; 0 before


class ReceivableSum(msgspec.Struct, frozen=True, kw_only=True):
    """All that is unpaid in one currency."""

    currency: str
    exponent: int
    orders: int
    unpaid_minor: int
    overdue_minor: int


class ReceivablePage(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of a page of accounts, those that owe longest first. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[Receivable, ...]
    sums: tuple[ReceivableSum, ...]  #: of all accounts, whatever was asked for
    next_after: str | None


class WaitingProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that waits for a second operator."""

    account_id: UUID
    proposal_id: UUID
    proposal: Proposal
    standing: Limit | None  #: the limit that it would replace


class ProposalPage(msgspec.Struct, frozen=True, kw_only=True):
    """By account. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[WaitingProposal, ...]
    queue: ReviewQueue
    next_after: UUID | None


class AccountPostpaid(msgspec.Struct, frozen=True, kw_only=True):
    """What one account may owe, and owes."""

    account_id: UUID
    limit: Limit | None
    left_minor: int  #: so much more may be bought on account, unless something is overdue
    unpaid_minor: int
    is_overdue: bool
    unpaid: tuple[Receivable, ...]  #: soonest due first


class PostpaidQueries(Protocol):
    """Blocking; safe to use from threads."""

    def receivables(
        self, *, now_us: int, overdue: bool = False, after: str | None = None, limit: int = 100
    ) -> ReceivablePage:
        """Orders of at most `limit` accounts, capped at `PAGE_ROWS_MAX`."""
        ...

    def waiting(self, *, now_us: int, after: UUID | None = None, limit: int = 100) -> ProposalPage:
        """Limits that wait for a second operator."""
        ...


class AccountsThatOwe(Protocol):
    """Where to look for who is to be reminded. It may lag behind the log: what is told is decided by the account's own stream."""

    def to_remind(self, *, now_us: int, limit: int) -> list[tuple[UUID, UUID]]:
        """Accounts and their orders that are to be paid soon or overdue, and whose customer was not told."""
        ...


def receivables_of(account_id: UUID, postpaid: Postpaid, *, now_us: int) -> tuple[Receivable, ...]:
    """What is unpaid, soonest due first."""
    day_us = 24 * 3600 * 1_000_000
    found = (
        Receivable(
            account_id=account_id,
            order_id=order_id,
            reference=one.reference,
            unpaid_minor=one.unpaid_minor,
            currency=one.currency,
            exponent=one.exponent,
            bought_us=one.bought_us,
            due_us=one.due_us,
            is_overdue=one.due_us <= now_us,
            days_overdue=max(now_us - one.due_us, 0) // day_us,
        )
        for order_id, one in postpaid.purchases.items()
    )
    return tuple(sorted(found, key=lambda one: (one.due_us, one.order_id)))


def account_of(account_id: UUID, postpaid: Postpaid, *, now_us: int) -> AccountPostpaid:
    return AccountPostpaid(
        account_id=account_id,
        limit=postpaid.limit,
        left_minor=postpaid.left_minor,
        unpaid_minor=postpaid.unpaid_minor,
        is_overdue=postpaid.is_overdue(now_us),
        unpaid=receivables_of(account_id, postpaid, now_us=now_us),
    )
