"""The books as a whole: what every account stands at, and what they stood at when a day ended."""

from typing import ClassVar, Protocol

import msgspec

from domain.periods import TrialBalanceSeal
from domain.refusal import Refusal


class BooksBehind(Refusal):
    """The read model of the books has not come to the end of the month yet; try again in a moment."""

    code: ClassVar[str] = "books_behind"


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """One account of the books; credit is positive."""

    name: str
    balance_nano: int


class TrialBalancePage(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts that are not zero, by name. `next_after` is the `after` of the next page; `None` on the last."""

    position: int
    items: tuple[AccountBalance, ...]
    next_after: str | None


class Books(Protocol):
    """The books as last projected."""

    def seal(self, *, until_us: int, head_position: int) -> TrialBalanceSeal:
        """The trial balance of everything booked before `until_us`, the end of a day of UTC that has long passed.

        Raises:
            BooksBehind: a fact up to `head_position` might be missing in it.
        """
        ...

    def trial_balance(self, *, after: str = "", limit: int = 100) -> TrialBalancePage:
        """Accounts by name; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...

    def account(self, name: str) -> tuple[int, int] | None:
        """The position of the books, and what one account stands at then; `None` if it is zero, or there is none."""
        ...
