"""Requests that the lease did not cover, in the order in which they came. Belongs to the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable

from application.ledger.live_lease import Admission, Hold
from domain.ledger.refusals import InsufficientCredit


class Waiter:
    """One request; `hold` is done when it was served, refused, or has left."""

    __slots__ = ("admission", "hold")

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.hold: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()

    def refuse(self, error: Exception) -> None:
        if not self.hold.done():
            self.hold.set_exception(error)

    @property
    def unused_hold(self) -> Hold | None:
        """The hold that was made for a request which has left meanwhile."""
        hold = self.hold
        is_made = hold.done() and not hold.cancelled() and hold.exception() is None
        return hold.result() if is_made else None


class WaitingRoom:
    """Owns who waits."""

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    @property
    def first(self) -> Waiter:
        return self._waiters[0]

    @property
    def wanted_nano(self) -> int:
        """The worst cases of all who wait."""
        return sum(waiter.admission.hold_nano for waiter in self._waiters)

    def enter(self, admission: Admission) -> Waiter:
        waiter = Waiter(admission)
        self._waiters.append(waiter)
        return waiter

    def enter_again(self, waiter: Waiter) -> None:
        """Behind the others, after a wait elsewhere."""
        self._waiters.append(waiter)

    def leave_first(self) -> None:
        self._waiters.popleft()

    def refuse_beyond(self, refusal: Callable[[Admission], InsufficientCredit]) -> None:
        """Refuse all who wait for more than is available: they all waited for the same answers."""
        waiting, self._waiters = self._waiters, deque()
        for waiter in waiting:
            refused = refusal(waiter.admission)
            if refused.required_nano > refused.available_nano:
                waiter.refuse(refused)
            elif not waiter.hold.done():
                self._waiters.append(waiter)

    def refuse_all(self, error: Exception) -> None:
        for waiter in self._waiters:
            waiter.refuse(error)
        self._waiters.clear()
