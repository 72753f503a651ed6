"""Whether the books are right, as far as can be told at any moment: for alarms. `ledger verify` tells it for certain."""

from typing import Protocol

import msgspec

from application.projections import ProjectionStatus


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger verify` said."""

    verified_us: int
    ok: bool
    position: int  #: the last event that it folded
    violations: int
    trial_balance_sha256: str


class LedgerHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in nano-credits. `faults` names what is wrong; none means that nothing is known to be."""

    faults: tuple[str, ...]
    zero_sum_nano: int  #: the sum over all accounts of the books: 0, or they are wrong
    drift_nano: int
    """What balances and books differ by, over the accounts that both have as of one position."""
    accounts_compared: int  #: 0 at moments when the balances lag behind the books
    open_holds: int
    held_nano: int
    oldest_hold_s: float  #: 0 if there is none
    read_models: tuple[ProjectionStatus, ...]
    last_verification: Verification | None


class Verifications(Protocol):
    """What `ledger verify` has said so far."""

    def record(self, one: Verification) -> None: ...

    def last(self) -> Verification | None: ...


class HealthQueries(Protocol):
    """Blocking; cheap enough to call at each metrics scrape."""

    def health(self) -> LedgerHealth: ...


def faults_of(
    *,
    zero_sum_nano: int,
    drift_nano: int,
    read_models: tuple[ProjectionStatus, ...],
    last_verification: Verification | None,
) -> tuple[str, ...]:
    """The names of what is wrong."""
    faults = []
    if zero_sum_nano:
        faults.append("books_not_zero")
    if drift_nano:
        faults.append("balances_drift")
    if any(one.stopped is not None or one.is_outdated for one in read_models):
        faults.append("read_model_stopped")
    if last_verification is not None and not last_verification.ok:
        faults.append("verification_failed")
    return tuple(faults)
