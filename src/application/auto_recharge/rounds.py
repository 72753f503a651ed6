"""Looks for balances that are low and for orders that are under way, and takes each one step on.

Blocking. Any number may run at once, and again at any time: what is done is decided by the account's stream.
"""

from collections.abc import Callable
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from application.auto_recharge.follow import FollowTools, follow
from application.auto_recharge.hindrance import hindrance_of
from application.auto_recharge.start import LowAccount, start
from application.auto_recharge.stream import load_auto
from application.checkout.ports import ProviderError, ProviderUnavailable
from application.eventlog import EventLogError
from application.recharge.queries import OrderQueries
from domain.auto_recharge.events import AutoRechargeTried
from domain.refusal import Refusal

ACCOUNTS_AT_ONCE_MAX: Final = 200

log = structlog.get_logger()


class AccountsToRecharge(Protocol):
    """Where to look. It may lag behind the log."""

    def low(self, *, now_us: int, limit: int) -> list[LowAccount]:
        """Accounts below the threshold of a rule that is on, with no order under way and no wait to be kept."""
        ...

    def under_way(self, *, limit: int) -> list[UUID]:
        """Accounts with an order that is to be taken on; not those whose customer is to pay it and still may."""
        ...


class AutoRecharging(msgspec.Struct, frozen=True, kw_only=True):
    """What the rounds work with."""

    accounts: AccountsToRecharge
    orders: OrderQueries
    follow: FollowTools

    def round(self) -> int:
        """All that is due, once; how much of it was taken on. What fails is for the next round."""
        if not self.follow.checkouts.savers():
            return 0
        now_us = self.follow.clock.now_us()
        try:
            moved = sum(
                self._guarded(account_id, self._follow)
                for account_id in self.accounts.under_way(limit=ACCOUNTS_AT_ONCE_MAX)
            )
            for low in self.accounts.low(now_us=now_us, limit=ACCOUNTS_AT_ONCE_MAX):
                moved += self._guarded(low.account_id, lambda _, low=low: self._start(low))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        except ProviderUnavailable as error:
            log.warning("provider_unavailable", error=str(error))
            return 0  # nor will it be there for the others
        return moved

    def _guarded(self, account_id: UUID, step: Callable[[UUID], bool]) -> bool:
        """Raises `ProviderUnavailable` only."""
        try:
            return step(account_id)
        except ProviderUnavailable:
            raise
        except (ProviderError, Refusal, EventLogError) as error:
            log.warning("auto_recharge_postponed", account_id=str(account_id), error=type(error).__name__)
            return False

    def _follow(self, account_id: UUID) -> bool:
        return follow(account_id, self.follow)

    def _start(self, low: LowAccount) -> bool:
        tools = self.follow
        method = load_auto(tools.store, low.account_id).method
        if method is None:
            return False
        hindrance = hindrance_of(
            low.account_id, method, store=tools.store, orders=self.orders, checkouts=tools.checkouts
        )
        if hindrance is not None:
            return False
        done = start(low, store=tools.store, clock=tools.clock)
        if any(isinstance(event, AutoRechargeTried) for event in done.events):
            log.info("auto_recharge_tried", account_id=str(low.account_id))
            follow(low.account_id, tools)
        return bool(done.events)
