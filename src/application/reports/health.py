"""Whether the books are right, as far as can be told at any moment: for alarms. `ledger verify` tells it for certain."""

from typing import Final, Protocol

import msgspec

from application.projections import ProjectionStatus


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger verify` said."""

    verified_us: int
    ok: bool
    position: int  #: the last event that it folded
    violations: int
    trial_balance_sha256: str


#: A look at the books that is older than this says nothing about them any more.
OVERDUE_US: Final = 5 * 60 * 1_000_000


class BooksCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at all accounts and all open holds found. It takes long where there are many, so it is kept."""

    checked_us: int
    zero_sum_nano: int  #: the sum over all accounts of the books: 0, or they are wrong
    drift_nano: int
    accounts_compared: int
    open_holds: int
    held_nano: int
    oldest_hold_us: int | None  #: since when; `None` if there is none


class LedgerHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in nano-credits. `faults` names what is wrong; none means that nothing is known to be.

    Figures of accounts and holds are those of the last check; 0 before the first.
    """

    faults: tuple[str, ...]
    checked_us: int | None  #: when the books were looked at last; `None`: never
    zero_sum_nano: int  #: the sum over all accounts of the books: 0, or they are wrong
    drift_nano: int
    """What balances and books differ by, over the accounts that both have as of one position."""
    accounts_compared: int  #: 0 at moments when the balances lag behind the books
    open_holds: int
    held_nano: int
    oldest_hold_s: float  #: 0 if there is none
    read_models: tuple[ProjectionStatus, ...]
    last_verification: Verification | None
    reviews_waiting: int = 0  #: charges that were held because their usage cannot be
    oldest_review_s: float = 0.0


class Verifications(Protocol):
    """What `ledger verify` has said so far."""

    def record(self, one: Verification) -> None: ...

    def last(self) -> Verification | None: ...


class BooksChecks(Protocol):
    """Blocking. `check` looks at everything and keeps what it finds; `last` is what was kept."""

    def check(self) -> BooksCheck: ...

    def last(self) -> BooksCheck | None: ...


class HealthQueries(Protocol):
    """Blocking; cheap enough to call at each metrics scrape, however many accounts there are."""

    def health(self) -> LedgerHealth: ...


def faults_of(
    *,
    check: BooksCheck | None,
    read_models: tuple[ProjectionStatus, ...],
    last_verification: Verification | None,
    now_us: int,
) -> tuple[str, ...]:
    """The names of what is wrong."""
    faults = []
    if check is None or now_us - check.checked_us > OVERDUE_US:
        faults.append("books_not_checked")
    if check is not None and check.zero_sum_nano:
        faults.append("books_not_zero")
    if check is not None and check.drift_nano:
        faults.append("balances_drift")
    if any(one.stopped is not None or one.is_outdated for one in read_models):
        faults.append("read_model_stopped")
    if last_verification is not None and not last_verification.ok:
        faults.append("verification_failed")
    return tuple(faults)
