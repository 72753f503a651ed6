"""Disputing a charge: its customer says, for some time after its end, that it is wrong; an operator then looks at it."""

from typing import Final

import msgspec

from domain.fact import Stamp
from domain.ledger.charges import ChargeCase, ChargeDisputed, DisputeCause, Ended, Standing
from domain.privacy import Sealed
from domain.refusal import WrongState

DISPUTE_DAYS: Final = 90
"""For so long after its end a request can be disputed; providers' own records of it are not kept for much longer."""
DISPUTE_US: Final = DISPUTE_DAYS * 24 * 3_600 * 1_000_000


def is_in_time(*, ended_us: int, now_us: int) -> bool:
    return now_us <= ended_us + DISPUTE_US


def dispute(
    case: ChargeCase,
    ended: Ended,
    so_far: Standing,
    *,
    cause: DisputeCause,
    pii: Sealed | None,
    stamp: Stamp,
) -> list[ChargeDisputed]:
    """Call a charge wrong. For the same cause again, while nobody has decided, this does nothing.

    Raises:
        WrongState: nothing was paid for the request, it ended too long ago, or it is disputed for another cause.
    """
    if so_far.paid_nano <= 0:
        raise WrongState("request", "not charged")
    if case.is_disputed:
        if case.disputes[-1].cause == cause:
            return []
        raise WrongState("charge", "disputed")
    if not is_in_time(ended_us=ended.ended_us, now_us=stamp.now_us):
        raise WrongState("charge", f"older than {DISPUTE_DAYS} days")
    return [
        ChargeDisputed(
            request_id=ended.request_id,
            account_id=ended.account_id,
            key_id=ended.key_id,
            alias=ended.alias,
            provider=ended.provider,
            cause=cause,
            hold_nano=ended.hold_nano,
            charge_nano=so_far.paid_nano,
            ended_position=ended.position,
            pii=msgspec.UNSET if pii is None else pii,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
