"""One life of one gateway process: the product's ledger at work, on a loop, a journal and a presence of a universe."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final
from uuid import UUID

from application.eventlog import EventLogError
from application.ledger.lease_book import LeaseBook
from application.ledger.lender import LedgerLimits, LedgerTools, LiveGateways
from application.ledger.reaper import Reaper
from application.ledger.recall import RecallMessages
from domain.ledger.events import Owner
from domain.ledger.refusals import LedgerRefusal
from tests.simulator.journal import SimJournal
from tests.simulator.loop import ENDED_S, TurnLoop
from tests.simulator.universe import EPOCH_US, Seen, Universe

LIMITS: Final = LedgerLimits(
    lease_valid_s=2.0, lease_charges_max=60, lease_age_s_max=20.0, recall_wait_s=1.0, hold_wait_s=5.0
)
RENEW_S: Final = LIMITS.lease_valid_s / 4
REAP_S: Final = 0.5
_OF_THE_LEDGER: Final = (EventLogError, LedgerRefusal, asyncio.CancelledError)


class SimClock:
    """A machine's clock, which may be wrong. Implements `application.clock.Clock`."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self.wrong_by_us = 0

    def now_us(self) -> int:
        return EPOCH_US + int(self._universe.now_s * 1_000_000) + self.wrong_by_us

    def monotonic_s(self) -> float:
        return self._universe.now_s


class SimIds:
    """Implements `application.clock.Ids`."""

    def __init__(self, universe: Universe) -> None:
        self.new = universe.new_id

    def entropy(self, size_bytes: int) -> bytes:
        raise AssertionError("the ledger needs no secrets")


class SimWakeups:
    """Implements `application.ledger.ports.Wakeups`; what comes in goes to the book at once."""

    def __init__(self, universe: Universe) -> None:
        self.poke = universe.poke

    def subscribe(self, receive: object) -> None:
        raise AssertionError("the universe knows whom to tell")


class SimProcess:
    """Runs while it is neither paused nor killed."""

    def __init__(self, universe: Universe, instance_id: UUID, epoch: int) -> None:
        self.owner = Owner(instance_id, epoch)
        self.loop = TurnLoop(universe)
        self.loop.set_exception_handler(self._went_wrong)
        self.journal = SimJournal(universe, self.loop, events_max=200, wait_s_max=5.0)
        self.clock = SimClock(universe)
        self.paused = False
        self._universe = universe
        self.book = LeaseBook(
            LedgerTools(
                owner=self.owner,
                store=universe.store,
                journal=self.journal,
                presence=universe,
                messages=RecallMessages(SimWakeups(universe), instance_id=instance_id),
                clock=self.clock,
                ids=SimIds(universe),
                limits=LIMITS,
                gateways=LiveGateways(),
            )
        )
        self._reaper = Reaper(
            store=universe.store,
            presence=universe,
            clock=self.clock,
            me=self.owner,
            lease_valid_s=LIMITS.lease_valid_s,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        for work in (self._renew(), self._reap(), self._keep_up()):
            self.start(work)

    @property
    def due_s(self) -> float:
        return ENDED_S if self.paused else self.loop.due_s

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def kill(self) -> None:
        """Nothing of it runs any more: what it has sent is on its way, its lock falls with its connection."""
        seen = self._universe.presence.get(self.owner.instance_id)
        if seen is not None and seen.owner == self.owner:
            seen.has_lock = False
        self._universe.processes.remove(self)
        self._universe.bury(self.loop)

    # --- what runs in it

    async def _renew(self) -> None:
        """Announce itself, as `adapters.presence` does: the lock is taken again after the database was away."""
        while True:
            if not self._universe.store.away:
                self._announce()
            await asyncio.sleep(RENEW_S)

    def _announce(self) -> None:
        presence = self._universe.presence
        known = presence.get(self.owner.instance_id)
        if known is None or known.owner.epoch <= self.owner.epoch:
            presence[self.owner.instance_id] = Seen(self.owner, has_lock=True, renewed_s=self._universe.now_s)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_S)
            with contextlib.suppress(EventLogError):
                await asyncio.to_thread(self._reaper.run_once)

    async def _keep_up(self) -> None:
        self.book.start()
        await asyncio.Event().wait()

    # --- mistakes

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._blame(task.exception())

    def _went_wrong(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._blame(context.get("exception"))

    def _blame(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, _OF_THE_LEDGER):
            self._universe.mistakes.append(error)
