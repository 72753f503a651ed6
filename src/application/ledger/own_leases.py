"""One account's leases in this process: the active one, those that drain, and those that were lost.

Gives credit back and ends leases. Whatever the log does meanwhile, credit is in exactly one place: what has left a
lease and did not reach the wallet yet is owed, and brought there later; what a lost lease has comes back by a fence.
"""

import asyncio
from collections.abc import Iterator

import structlog

from application.eventlog import EventLogError, VersionConflict
from application.ledger.lender import LedgerTools, Lender
from application.ledger.live_lease import LiveLease
from application.ledger.reaper import fence_lease
from domain.ledger.lease import Lease
from domain.ledger.refusals import LeaseEnded, LedgerRefusal

log = structlog.get_logger()


class OwnLeases:
    """Belongs to the event loop."""

    def __init__(self, lender: Lender, tools: LedgerTools) -> None:
        self.active: LiveLease | None = None
        self.closed: list[Lease] = []  #: with shares of budgets that are to be settled
        self._draining: list[LiveLease] = []
        self._lost: list[LiveLease] = []  #: may still be open in the log, where only their owner can tell
        self._lender = lender
        self._tools = tools
        self._moving = asyncio.Lock()  #: one movement from a lease to the wallet at a time

    def __iter__(self) -> Iterator[LiveLease]:
        yield from self._draining
        if self.active is not None:
            yield self.active

    @property
    def is_empty(self) -> bool:
        return not (self.active or self._draining or self._lost)

    def free_for_nano(self, alias: str, now_us: int) -> int:
        """What a new request of this model may hold without borrowing."""
        live = self.active
        return live.lease.free_for_nano(alias, now_us) if live is not None and not live.lost else 0

    @property
    def free_nano(self) -> int:
        """What no request holds in the active lease."""
        live = self.active
        return live.lease.free_nano if live is not None and not live.lost else 0

    @property
    def held_nano(self) -> int:
        """Set aside for requests that are open in this process."""
        return sum(live.lease.held_nano for live in self)

    @property
    def spent_nano(self) -> int:
        """Charged or held in leases that the wallet has not settled."""
        return sum(live.lease.charged_nano + live.lease.held_nano for live in self)

    def lose(self, live: LiveLease) -> None:
        """Drop a lease that another writer has ended, or that cannot be counted on from."""
        live.lost = True
        if self.active is live:
            self.active = None
        if live in self._draining:
            self._draining.remove(live)
        if live not in self._lost:
            self._lost.append(live)

    def drain(self) -> None:
        """Use the active lease no more; requests that hold credit in it may end."""
        live, self.active = self.active, None
        if live is not None:
            self._draining.append(live)
            if live.lost:
                self.lose(live)

    async def give_back(self, live: LiveLease) -> bool:
        """Return what no request holds. False when the log did not take it: it stays where it is, or is owed."""
        async with self._moving:
            try:
                await self._lender.give_back(live)
            except (LeaseEnded, VersionConflict):
                self.lose(live)
            except EventLogError:
                if live.lost:
                    self.lose(live)
                return False
        return True

    async def give_all_back(self) -> bool:
        """As `give_back`, of every lease."""
        return all([await self.give_back(live) for live in list(self)])

    async def gather(self) -> None:
        """Bring to the wallet what drained leases hold for no request, and what is on its way or owed.

        A give-back leaves the lease before it reaches the wallet; in between the credit is seen in neither.
        """
        for live in list(self):
            if live is not self.active or live.owed_nano:
                await self.give_back(live)
        async with self._moving:
            pass

    async def tidy(self) -> None:
        """Pay what is owed, settle drained leases that hold nothing, end lost ones; what fails is for the next time."""
        for live in list(self):
            if live.lost:
                self.lose(live)
            elif live.owed_nano:
                await self.give_back(live)
        await self._close_drained()
        await self._end_lost()

    async def _close_drained(self) -> None:
        async with self._moving:
            for live in [live for live in self._draining if not live.lease.holds]:
                try:
                    await self._lender.close(live)
                except (LedgerRefusal, VersionConflict):
                    self.lose(live)
                except EventLogError:
                    return
                else:
                    self._draining.remove(live)
                    if live.lease.shares:
                        self.closed.append(live.lease)

    async def _end_lost(self) -> None:
        """Fence what we lost ourselves: a lease whose owner lives is left alone by every reaper.

        Most were fenced by another process already; then nothing is stored.
        """
        async with self._moving:
            for live in list(self._lost):
                try:
                    await asyncio.to_thread(
                        fence_lease,
                        self._tools.store,
                        account_id=self._lender.account_id,
                        lease_id=live.lease.lease_id,
                        by=self._tools.owner,
                        reason="owner lost it",
                        now_us=self._tools.clock.now_us(),
                    )
                except EventLogError:
                    return
                except LedgerRefusal as refusal:
                    log.error("lease_not_fenced", lease_id=str(live.lease.lease_id), error=refusal.code)  # noqa: TRY400  # the code says it all
                self._lost.remove(live)
