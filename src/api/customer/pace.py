"""How often a customer may ask one process: a program that loops must not keep the database from everybody else."""

from typing import Final
from uuid import UUID

from application.clock import Clock
from application.limits import RateLimiter
from domain.limits import NO_LIMITS, Limits

REQUESTS_A_MINUTE: Final = 600
_LIMITS: Final = Limits(rpm=REQUESTS_A_MINUTE)
_NOBODY: Final = UUID(int=0)


class Pace:
    """Belongs to the event loop that serves."""

    def __init__(self, clock: Clock) -> None:
        self._limiter = RateLimiter()
        self._clock = clock

    def take(self, account_id: UUID) -> None:
        """Count one more request of an account.

        Raises:
            RateLimited: it has asked too often; nothing was counted.
        """
        now_s = self._clock.monotonic_s()
        permit = self._limiter.admit(account_id, _LIMITS, _NOBODY, NO_LIMITS, tokens=0, now_s=now_s)
        permit.end(0)
