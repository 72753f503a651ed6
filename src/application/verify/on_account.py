"""C04: what is bought on account was within a limit that two operators have agreed to, and is owed until it is paid or taken back.

By sums of its own, not by the fold that decided.
"""

from collections import Counter
from typing import Final
from uuid import UUID

import msgspec

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.postpaid.events import (
    POSTPAID_EVENTS,
    AccountOrderPaid,
    AccountOrderReduced,
    BoughtOnAccount,
    OwedEvent,
    PostpaidEvent,
    PostpaidLimitApproved,
    PostpaidLimitLifted,
    PostpaidLimitProposed,
)
from domain.postpaid.postpaid import postpaid_stream
from domain.recharge.events import PaymentCaptured, RechargeCredited, RefundSucceeded
from domain.recharge.order import INVOICE

KINDS: Final = frozenset((*POSTPAID_EVENTS, RechargeCredited, PaymentCaptured, RefundSucceeded))
_Key = tuple[str, UUID]


class _Account(msgspec.Struct, kw_only=True):
    """What was agreed, and what is owed of each order."""

    proposals: dict[UUID, PostpaidLimitProposed] = msgspec.field(default_factory=dict)
    limit: PostpaidLimitApproved | None = None
    owed_minor: Counter[UUID] = msgspec.field(default_factory=Counter)
    due_us: dict[UUID, int] = msgspec.field(default_factory=dict)


class OnAccountCheck:
    """Feed it every event of `KINDS`, in order."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._accounts: dict[UUID, _Account] = {}
        self._expected: dict[_Key, int] = {}  #: amounts that orders tell of, and accounts must count

    def take(self, at: Stored) -> None:
        """One event; of orders that are not on account nothing is done."""
        match at.event:
            case RechargeCredited() as event if event.provider == INVOICE:
                self._expected["bought", event.order_id] = event.gross_minor
            case PaymentCaptured() as event if event.provider == INVOICE:
                self._expected["paid", event.order_id] = event.gross_minor
            case RefundSucceeded() as event if event.set_off is True:
                self._expected["reduced", event.refund_id] = event.amount_minor
            case RechargeCredited() | PaymentCaptured() | RefundSucceeded():
                pass
            case _:
                self._own(at)

    def finish(self) -> None:
        for what, subject in self._expected:
            self._findings.add("C04", position=0, subject=subject, detail=f"was {what} and never counted")

    def _own(self, at: Stored) -> None:
        event: PostpaidEvent = at.event  # type: ignore[assignment]  # the others of `KINDS` are handled
        if at.stream_id != postpaid_stream(event.account_id):
            self._findings.add(
                "L03",
                position=at.position,
                subject=at.stream_id,
                detail=f"not what {event.account_id} owes",
            )
        account = self._accounts.setdefault(event.account_id, _Account())
        match event:
            case PostpaidLimitProposed():
                account.proposals[event.proposal_id] = event
            case PostpaidLimitApproved():
                self._approved(at, account, event)
            case PostpaidLimitLifted():
                account.limit = None
            case BoughtOnAccount():
                self._bought(at, account, event)
            case AccountOrderPaid() | AccountOrderReduced():
                self._less(at, account, event)
            case _:
                pass

    def _approved(self, at: Stored, account: _Account, event: PostpaidLimitApproved) -> None:
        asked = account.proposals.pop(event.proposal_id, None)
        if asked is None:
            self._check(at, False, "approves what nobody proposed")  # noqa: FBT003  # reads as a sentence
        else:
            self._check(at, asked.actor != event.actor, "is approved by who proposed it")
            names = ("currency", "limit_minor", "days_to_pay")
            is_same = all(getattr(asked, name) == getattr(event, name) for name in names)
            self._check(at, is_same, "is not the limit that was proposed")
        account.limit = event

    def _bought(self, at: Stored, account: _Account, event: BoughtOnAccount) -> None:
        limit = account.limit
        overdue = any(
            account.owed_minor[one] and due <= event.occurred_us for one, due in account.due_us.items()
        )
        self._check(at, not overdue, "is bought while an order is overdue")
        self._counted(at, "bought", event.order_id, event.amount_minor)
        account.owed_minor[event.order_id] += event.amount_minor
        account.due_us[event.order_id] = event.due_us
        self._sum(at, account, event)
        has_limit = limit is not None and limit.currency == event.currency
        self._check(at, has_limit, "is bought without a limit")
        is_within = limit is None or account.owed_minor.total() <= limit.limit_minor
        self._check(at, is_within, "is more than the limit")

    def _less(self, at: Stored, account: _Account, event: AccountOrderPaid | AccountOrderReduced) -> None:
        if isinstance(event, AccountOrderPaid):
            self._counted(at, "paid", event.order_id, event.amount_minor)
            is_all = account.owed_minor[event.order_id] == event.amount_minor
            self._check(at, is_all, "is paid in part")
        else:
            self._counted(at, "reduced", event.refund_id, event.amount_minor)
        account.owed_minor[event.order_id] -= event.amount_minor
        self._check(at, account.owed_minor[event.order_id] >= 0, "is more than what is owed of it")
        self._sum(at, account, event)

    def _counted(self, at: Stored, what: str, subject: UUID, amount_minor: int) -> None:
        """The order told of it before, in the same append."""
        told_minor = self._expected.pop((what, subject), None)
        self._check(at, told_minor == amount_minor, f"counts what its order does not tell: {what}")

    def _sum(self, at: Stored, account: _Account, event: OwedEvent) -> None:
        is_right = account.owed_minor.total() == getattr(event, "unpaid_minor", None)
        self._check(at, is_right, "tells another sum than there is")

    def _check(self, at: Stored, is_right: bool, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not is_right:
            self._findings.add("C04", position=at.position, subject=at.stream_id, detail=detail)
