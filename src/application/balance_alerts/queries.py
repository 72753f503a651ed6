"""What surfaces may ask about low balances: which alerts were raised. Answers lag behind the log by a moment."""

from typing import Protocol
from uuid import UUID

import msgspec


class LowBalance(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised; fields as in the event."""

    position: int
    account_id: UUID
    threshold_nano: int
    balance_nano: int
    crossed_position: int
    occurred_us: int


class LowBalancePage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[LowBalance, ...]
    next_before: int | None


class LowBalanceQueries(Protocol):
    """As last projected."""

    def low_balances(
        self, *, account_id: UUID | None = None, before_position: int | None = None, limit: int = 100
    ) -> LowBalancePage: ...
