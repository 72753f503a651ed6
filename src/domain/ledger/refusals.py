"""Why the ledger says no."""

from typing import ClassVar
from uuid import UUID

from domain.refusal import Refusal


class LedgerRefusal(Refusal):
    """Base of the ledger's refusals."""


class InsufficientCredit(LedgerRefusal):
    """What is available for the model does not cover the worst case; nothing was held and the upstream was not called.

    `held_nano` is what open requests of this process have set aside: at most so much may come free again.
    """

    code: ClassVar[str] = "insufficient_quota"

    def __init__(self, *, required_nano: int, available_nano: int, held_nano: int = 0) -> None:
        super().__init__(f"required {required_nano} nano-credits, available {available_nano}")
        self.required_nano = required_nano
        self.available_nano = available_nano
        self.held_nano = held_nano

    @property
    def is_held(self) -> bool:
        """The account may have enough once requests that are open have ended."""
        return self.required_nano <= self.available_nano + self.held_nano


class AccountInDebt(LedgerRefusal):
    """What the account spent was paid with money that went back. Nothing was held: it must be paid, or given up, first."""

    code: ClassVar[str] = "account_in_debt"

    def __init__(self, *, owed_nano: int) -> None:
        super().__init__(f"{owed_nano} nano-credits are owed")
        self.owed_nano = owed_nano


class ShareTooSmall(LedgerRefusal):
    """The lease has too little of a hard budget; nothing was held."""

    code: ClassVar[str] = "share_too_small"


class BudgetExceeded(LedgerRefusal):
    """A hard budget has less left than the worst case; nothing was held and the upstream was not called.

    `held_nano` is what open requests of this process have set aside of it: at most so much may come free again before the
    present day, month or hour ends at `until_us`. What is neither available nor held is spent, or set aside elsewhere.
    """

    code: ClassVar[str] = "budget_exceeded"

    def __init__(
        self,
        budget_id: UUID,
        *,
        budget_nano: int,
        required_nano: int,
        available_nano: int,
        held_nano: int,
        until_us: int,
    ) -> None:
        super().__init__(
            f"budget {budget_id}: required {required_nano} nano-credits, available {available_nano}"
        )
        self.budget_id = budget_id
        self.budget_nano = budget_nano
        self.required_nano = required_nano
        self.available_nano = available_nano
        self.held_nano = held_nano
        self.until_us = until_us

    @property
    def is_held(self) -> bool:
        """There may be enough once requests that are open have ended."""
        return self.required_nano <= self.available_nano + self.held_nano


class LeaseEnded(LedgerRefusal):
    """The lease is closed, fenced or not known to the wallet; nothing can happen in it any more."""

    code: ClassVar[str] = "lease_ended"

    def __init__(self, lease_id: UUID) -> None:
        super().__init__(f"lease {lease_id} has ended")
        self.lease_id = lease_id


class LeaseBusy(LedgerRefusal):
    """The lease still holds credit for open requests and cannot be closed by its owner."""

    code: ClassVar[str] = "lease_busy"


class UnknownRequest(LedgerRefusal):
    """The request has no open hold in this lease: it was never admitted, or is settled already."""

    code: ClassVar[str] = "unknown_request"


class DuplicateRequest(LedgerRefusal):
    """The request already has an open hold in this lease."""

    code: ClassVar[str] = "duplicate_request"


class AmountOutOfRange(LedgerRefusal):
    """An amount of nano-credits is below, or above, what it may be; all of them fit a signed 64-bit integer."""

    code: ClassVar[str] = "amount_out_of_range"
