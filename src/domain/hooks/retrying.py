"""When a message that did not arrive is sent again, and when nobody tries any more."""

from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
WAITS_S: Final = (
    5,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
"""Behind each try, as Standard Webhooks suggests: ten tries in a little more than three days."""
TRIES_MAX: Final = len(WAITS_S) + 1
GONE: Final = 410
_SPREAD_PERCENT: Final = 20


def wait_s(tries: int, *, spread: float) -> float | None:
    """How long to wait behind so many tries; none: it is given up. `spread` from 0 to 1 makes it up to a fifth longer."""
    if tries >= TRIES_MAX:
        return None
    return WAITS_S[tries - 1] * (1 + spread * _SPREAD_PERCENT / 100)


def has_arrived(status: int) -> bool:
    """A 2xx; everything else, redirects too, is none."""
    return 200 <= status < 300  # noqa: PLR2004  # the class of statuses
