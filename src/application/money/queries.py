"""What surfaces may ask about the books in money. As last projected."""

from typing import Literal, Protocol
from uuid import UUID

import msgspec


class MoneyBalance(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a currency's books; `balance_minor` is credit positive."""

    ledger: str  #: a currency, `EUR`, or one in test mode, `EUR test`
    name: str
    balance_minor: int


class MoneyBalances(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts that are not zero; they add up to zero in each ledger."""

    position: int
    items: tuple[MoneyBalance, ...]
    next_after: str | None


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """What an order tells of and the provider's list does not have yet, a line of the list that no order tells of, or a payout whose
    lines do not add up to it (yet).
    """

    kind: Literal["payment", "refund", "dispute", "line", "payout"]
    provider: str
    ref: str
    ledger: str
    amount_minor: int
    words: str  #: what the provider calls the line; empty for what has none yet
    since_us: int
    order_id: UUID | None


class OpenItems(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[OpenItem, ...]
    next_after: str | None


class MoneyQueries(Protocol):
    """Blocking; safe to use from threads."""

    def balances(self) -> MoneyBalances:
        """The trial balance of every ledger."""
        ...

    def open_items(self, *, after: str | None = None, limit: int = 100) -> OpenItems:
        """What does not agree with the providers' lists, oldest first; a limit is capped at `PAGE_ROWS_MAX`.

        Raises:
            BadField: `after` is none of ours.
        """
        ...
