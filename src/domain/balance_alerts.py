"""Low balances: below which balance an account is told of, and that it was.

A threshold stands in a stream for each account, or in one for all accounts that have none of their own. The alert is the first
event of a stream of the crossing's own, so there is no second one. ADR 55.
"""

from typing import ClassVar, Final
from uuid import UUID

from domain.event import Event
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.refusal import BadField

_DEFAULT_STREAM: Final = UUID("7b1d2c9e-54f0-5c3a-a1d6-0e8f3b6a9c25")


class BalanceLowSet(Fact, frozen=True, kw_only=True):
    """Below this balance an account is told of, when it falls below it. It replaces what was set before."""

    TOPIC: ClassVar[str] = "balance-low.set.v1"

    account_id: UUID | None  #: none: every account that has no threshold of its own
    threshold_nano: (
        int | None
    )  #: 0 is never below; none: no threshold any more, of an account: the one for all


class BalanceLowCrossed(Event, frozen=True, kw_only=True):
    """What an account owns fell below its threshold. Told again only after it was at the threshold or above."""

    TOPIC: ClassVar[str] = "balance-low.crossed.v1"

    account_id: UUID
    threshold_nano: int
    balance_nano: int  #: granted less charged, expired and taken; on hold or not
    crossed_position: int  #: of what took it there, or of the setting
    occurred_us: int  #: when that happened


LOW_BALANCE_EVENTS: tuple[type[Event], ...] = (BalanceLowSet, BalanceLowCrossed)


def threshold_stream(account_id: UUID | None) -> UUID:
    return _DEFAULT_STREAM if account_id is None else stream_of(account_id, "balance-low")


def crossing_stream(account_id: UUID, crossed_position: int) -> UUID:
    return stream_of(account_id, f"balance-low:{crossed_position}")


def evolve(_threshold_nano: int | None, event: BalanceLowSet) -> int | None:
    """The threshold after one more fact."""
    return event.threshold_nano


def set_threshold(
    present_nano: int | None, *, account_id: UUID | None, threshold_nano: int | None, stamp: Stamp
) -> list[BalanceLowSet]:
    """Set it, or take it away. The same again does nothing.

    Raises:
        BadField: it is below zero, or beyond what a balance can be.
    """
    if threshold_nano is not None and not 0 <= threshold_nano <= AMOUNT_NANO_MAX:
        raise BadField("threshold_nano", f"must be from 0 to {AMOUNT_NANO_MAX}")
    if threshold_nano == present_nano:
        return []
    return [
        BalanceLowSet(
            account_id=account_id, threshold_nano=threshold_nano, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def falls_below(threshold_nano: int, *, before_nano: int, after_nano: int) -> bool:
    """Whether a movement takes a balance below its threshold; one that is below already, or comes up, does not."""
    return after_nano < threshold_nano <= before_nano
