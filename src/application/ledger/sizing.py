"""How much credit a process borrows at a time: seconds of spending when there is plenty, the exact need near zero.

The quarter rule makes the leases of several processes shrink together as an account runs out, so that
little is stranded in any of them.
"""

import math

import msgspec

from domain.ledger.events import LeaseMode

HORIZON_S = 2.0
"""Seconds of spending that a lease should last before it is topped up."""
MICRO_FACTOR = 8
"""Below this many worst cases a live process, only the exact need is lent (`facts` call it micro mode)."""
REFILL_SHARE = 0.3
"""A lease is topped up in the background when less than this share of its target is free."""


class Size(msgspec.Struct, frozen=True):
    """What to borrow. `amount_nano` is never more than what is available."""

    amount_nano: int
    mode: LeaseMode


def lease_size(
    *, need_nano: int, available_nano: int, hold_nano: int, rate_nano_s: float, processes: int
) -> Size:
    """How much to borrow when `need_nano` must be covered now and the wallet has `available_nano`.

    `hold_nano` is a typical worst case and `rate_nano_s` what this process sets aside each second. The caller
    has checked that the need is available.
    """
    if is_scarce(available_nano=available_nano, hold_nano=max(hold_nano, need_nano), processes=processes):
        return Size(need_nano, "micro")
    wanted_nano = max(MICRO_FACTOR * hold_nano, math.ceil(rate_nano_s * HORIZON_S))
    return Size(max(need_nano, min(wanted_nano, available_nano // 4)), "bulk")


def share_nano(*, need_nano: int, available_nano: int, hold_nano: int, processes: int) -> int:
    """How much of a budget to lend when `need_nano` must be covered now: a part of what is left, or near its end the need.

    Shares are not paid for, so they are larger than leases: a budget is spent in few steps.
    """
    if is_scarce(available_nano=available_nano, hold_nano=max(hold_nano, need_nano), processes=processes):
        return need_nano
    return max(need_nano, available_nano // (4 * max(processes, 1)))


def is_scarce(*, available_nano: int, hold_nano: int, processes: int) -> bool:
    """There are few worst cases left for each process: whoever keeps more than the need makes others wait."""
    return available_nano < MICRO_FACTOR * hold_nano * max(processes, 1)


class SpendingRate:
    """An exponentially weighted mean of what is set aside each second."""

    _HALF_LIFE_S = 2.0

    def __init__(self, now_s: float) -> None:
        self._per_second = 0.0
        self._pending_nano = 0
        self._since_s = now_s
        self.typical_hold_nano = 0

    def add(self, hold_nano: int) -> None:
        self._pending_nano += hold_nano
        self.typical_hold_nano = max(hold_nano, self.typical_hold_nano - (self.typical_hold_nano >> 6))

    def per_second(self, now_s: float) -> float:
        """Nano-credits set aside a second, as of now."""
        elapsed_s = now_s - self._since_s
        if elapsed_s >= 0.1:  # noqa: PLR2004  # shorter windows are noise
            keep = 0.5 ** (elapsed_s / self._HALF_LIFE_S)
            self._per_second = self._per_second * keep + self._pending_nano / elapsed_s * (1 - keep)
            self._pending_nano = 0
            self._since_s = now_s
        return self._per_second
