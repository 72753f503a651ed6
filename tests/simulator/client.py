"""Clients: a request from its admission to the last byte, with the product's settlement, and leaving at any moment."""

import asyncio
from typing import Final

from application.eventlog import EventLogError
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.ledger.live_lease import Admission, Hold
from domain.budgets.budget import Budget
from domain.ledger.refusals import LedgerRefusal
from tests.model.gateway import ANSWER
from tests.model.world import ACCOUNT, KEY, Request
from tests.simulator.process import SimProcess
from tests.simulator.universe import Universe

ALIASES: Final = ("gpt-4o", "claude")
UPSTREAM_S: Final = 0.05
LEAVES_S: Final = 0.02
_COSTS: Final = (0, 1, 2, 4, 8, 8, 8, 9, 12)
"""Eighths of the hold; more than eight is more than was set aside."""


class Client:
    """Sends one request to one process."""

    def __init__(
        self,
        universe: Universe,
        process: SimProcess,
        hold_nano: int,
        *,
        alias: str,
        leaves: bool,
        steady: bool = False,
        budgets: tuple[Budget, ...] = (),
    ) -> None:
        """The upstream of a steady one does not fail."""
        self.request = Request(universe.new_id(), hold_nano)
        universe.requests[self.request.request_id] = self.request
        self._universe = universe
        self._process = process
        self._alias = alias
        self._budgets = budgets
        random = universe.random
        self._upstream_s = random.expovariate(1 / UPSTREAM_S)
        self._is_stream = random.random() < 0.5  # half of them
        self._fails = not steady and random.random() < 0.15  # of upstreams, in a bad hour
        self._rated_nano = hold_nano * random.choice(_COSTS) // 8
        self._task = process.start(self._run())
        if leaves:
            universe.at(random.expovariate(1 / LEAVES_S), self._leave)

    async def _run(self) -> None:
        book, request = self._process.book, self.request
        admission = Admission(
            request_id=request.request_id,
            account_id=ACCOUNT,
            key_id=KEY,
            alias=self._alias,
            stream=self._is_stream,
            hold_nano=request.hold_nano,
            price_version=1,
            budgets=self._budgets,
        )
        try:
            hold = book.try_hold(admission) or await book.hold(admission)
        except (EventLogError, LedgerRefusal):
            request.told = "refused"
            return
        await self._serve(hold)

    async def _serve(self, hold: Hold) -> None:
        request, clock = self.request, self._process.clock
        settlement = Settlement(hold, book=self._process.book, clock=clock, started_s=clock.monotonic_s())
        try:
            await asyncio.sleep(self._upstream_s)
            if self._is_stream:
                await settlement.admitted()
                request.first_byte = True
            if self._fails:
                settlement.release("upstream_timeout", ())
                request.told = "failed"
                return
            request.rated_nano = self._rated_nano
            await asyncio.shield(self._process.start(self._charge(settlement)))
        except Refused:
            request.told = "failed"
        except asyncio.CancelledError:
            settlement.release("client_closed", ())
            raise

    async def _charge(self, settlement: Settlement) -> None:
        """Runs to its end whatever the client does, as the exchange's does."""
        try:
            await settlement.charge(rated_nano=self._rated_nano, answer=ANSWER)
        except Refused:
            self.request.told = "failed"
        else:
            self.request.told = "completed"

    def _leave(self) -> None:
        if not self._process.loop.is_dead:
            self._process.loop.call_soon(self._task.cancel)
