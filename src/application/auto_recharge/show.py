"""An account's automatic recharges as its stream has them. For showing; nothing is decided from the answer."""

from typing import Literal
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.auto_recharge.stream import load_auto
from application.clock import Clock
from application.eventlog import EventStore
from domain.auto_recharge.events import Rule
from domain.auto_recharge.trying import month_of, used_minor


class MethodShown(msgspec.Struct, frozen=True, kw_only=True):
    """The saved way to pay."""

    provider: str
    brand: str


class TryShown(msgspec.Struct, frozen=True, kw_only=True):
    """The latest order that was placed by itself."""

    order_id: UUID
    state: Literal["open", "needs_customer", "paid", "declined"]
    amount_minor: int
    currency: str
    tried_us: int
    reason: str
    retry_us: int | None


class AutoShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an account recharges by itself, by which rule, and what came of it last."""

    account_id: UUID
    is_on: bool
    method: MethodShown | None
    method_awaited: bool  #: a page is open on which one may be left
    rule: Rule | None  #: the last one, in force or not
    month: str | None  #: the present one, by the rule
    used_minor: int  #: of its cap
    declines: int  #: in a row
    latest: TryShown | None


def show_auto(store: EventStore, account_id: UUID, *, clock: Clock) -> AutoShown:
    """As it is now.

    Raises:
        NotFound: there is no such account.
    """
    load_account(store, account_id)
    auto, now_us = load_auto(store, account_id), clock.now_us()
    method, latest = auto.method, auto.latest
    return AutoShown(
        account_id=account_id,
        is_on=auto.is_on,
        method=None if method is None else MethodShown(provider=method.provider, brand=method.brand),
        method_awaited=bool(auto.pages),
        rule=auto.rule,
        month=None if auto.rule is None else month_of(auto.rule.zone, now_us),
        used_minor=used_minor(auto, now_us=now_us),
        declines=auto.declines,
        latest=None
        if latest is None
        else TryShown(
            order_id=latest.order_id,
            state=latest.state,
            amount_minor=latest.amount_minor,
            currency=latest.currency,
            tried_us=latest.tried_us,
            reason=latest.reason,
            retry_us=latest.retry_us,
        ),
    )
