"""How long an upstream is read on once the client has left: to learn the real usage, and no longer."""

import asyncio


class Drain:
    """The clock of one request. It runs while a deployment is tried and from when the client has left; never in a charge."""

    __slots__ = ("_deadline", "_drain_s")

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._deadline: asyncio.Timeout | None = None

    def opened(self) -> asyncio.Timeout:
        """What one try is made within."""
        self._deadline = deadline = asyncio.timeout(None)  # it begins when the client leaves
        return deadline

    def closed(self) -> None:
        """The try is over: a client that leaves from here on finds nothing to shorten."""
        self._deadline = None

    def begin(self) -> None:
        """The client has left."""
        deadline = self._deadline
        if deadline is not None and not deadline.expired():
            deadline.reschedule(asyncio.get_running_loop().time() + self._drain_s)

    async def stop(self) -> None:
        """From here on the request must not be interrupted: its charge is made once."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            if deadline.expired():
                await asyncio.sleep(0)  # the interruption is on its way; it goes first
            deadline.reschedule(None)
