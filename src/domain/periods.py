"""Periods of the books: closing one seals its trial balance. All are in one stream, months of UTC in their order.

Nothing is moved by a closing, and nothing is kept from happening: facts are booked when the log records them, so what
comes after the end of a month is in a later one anyway.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.refusal import BadField, Refusal, WrongState

PERIODS_STREAM: Final = UUID("7b1c2f64-9a0e-5c3d-8e57-4d1f0a6b2c90")
#: Between the end of a month and its closing: longer than any append may take, and than clocks differ.
SETTLING_US: Final = 10 * 60 * 1_000_000
_MONTHS: Final = 12
_TIME_US_MAX: Final = 253_370_764_800_000_000  # the year 9999; Python's calendar ends in it


class PeriodClosed(Fact, frozen=True, kw_only=True):
    """The trial balance of everything booked before `until_us` is sealed: whoever folds the log finds the same."""

    TOPIC: ClassVar[str] = "period.closed.v1"

    period: str  #: such as `2026-11`
    until_us: int  #: the end of the month in UTC, not in it
    position: int  #: of the last movement in it, 0 if there was none
    rules_version: int  #: of the posting rules
    accounts: int  #: that were not zero
    trial_balance_sha256: str


PERIOD_EVENTS: tuple[type[Fact], ...] = (PeriodClosed,)


class Periods(msgspec.Struct, frozen=True):
    """The fold of the stream: the newest month that is closed."""

    newest: PeriodClosed | None = None


class TrialBalanceSeal(msgspec.Struct, frozen=True, kw_only=True):
    """The balances of all accounts after the movement at `position`."""

    position: int
    rules_version: int
    accounts: int
    sha256: str


class PeriodNotOver(Refusal):
    """The month has not passed, or only just; nothing was closed."""

    code: ClassVar[str] = "period_not_over"


def evolve(_periods: Periods, event: PeriodClosed) -> Periods:
    """The periods after one more closing."""
    return Periods(event)


def end_of(period: str) -> int:
    """When a month of UTC ends, Unix microseconds.

    Raises:
        BadField: it is none.
    """
    try:
        return _end_us(datetime.strptime(period, "%Y-%m").replace(tzinfo=UTC))
    except ValueError:
        raise BadField("period", "must be a month such as 2026-11") from None


def month_end_us(time_us: int) -> int:
    """When the month of UTC that a time is in ends, Unix microseconds; after 9998 no month ends."""
    return _end_us(datetime.fromtimestamp(min(time_us, _TIME_US_MAX) // 1_000_000, tz=UTC))


def _end_us(time: datetime) -> int:
    years, months = divmod(time.month, _MONTHS)
    end = datetime(time.year + years, months + 1, 1, tzinfo=UTC)
    return int(end.timestamp()) * 1_000_000


def require_over(period: str, *, now_us: int) -> int:
    """The end of a month that has passed.

    Raises:
        BadField: it is none.
        PeriodNotOver: see there.
    """
    until_us = end_of(period)
    if now_us < until_us + SETTLING_US:
        raise PeriodNotOver(f"{period} can be closed ten minutes after its end")
    return until_us


def close(periods: Periods, *, period: str, seal: TrialBalanceSeal, stamp: Stamp) -> list[PeriodClosed]:
    """Close a month that has passed; closing the newest one again does nothing. Months between are closed with it.

    Raises:
        BadField, PeriodNotOver: as `require_over`.
        WrongState: a later month is closed.
    """
    until_us = require_over(period, now_us=stamp.now_us)
    newest = periods.newest
    if newest is not None and until_us <= newest.until_us:
        if until_us == newest.until_us:
            return []
        raise WrongState("period", f"before {newest.period}, which is closed")
    return [
        PeriodClosed(
            period=period,
            until_us=until_us,
            position=seal.position,
            rules_version=seal.rules_version,
            accounts=seal.accounts,
            trial_balance_sha256=seal.sha256,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def trial_balance_sha256(balances_nano: Mapping[str, int]) -> str:
    """The digest of all balances that are not zero, whoever folded them: a line for each, in the order of names."""
    lines = (f"{name}\t{balance}\n" for name, balance in sorted(balances_nano.items()) if balance)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
