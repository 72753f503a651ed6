"""One account's credit in one gateway process: hold from the lease in memory, borrow when it is used up.

The fast path is `try_hold`. Requests that it cannot serve queue for a single banker task, which extends the
lease, or opens one, or asks the other processes, or refuses. Banker work is never cancelled with a request.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from application.eventlog import EventLogError, LogUnavailable, VersionConflict
from application.ledger.lender import LedgerTools, Lender
from application.ledger.live_lease import Admission, Hold, LiveLease
from application.ledger.recall import Recall
from application.ledger.sizing import REFILL_SHARE, Size, SpendingRate, lease_size
from domain.ledger import lease as lease_rules
from domain.ledger.refusals import InsufficientCredit, LeaseEnded, LedgerRefusal
from domain.ledger.wallet import Wallet, request_recall

GIVE_BACK_DELAY_S = 0.02
"""Near zero, credit that a settled request left over is given back after this pause, so that several go together."""
RECALL_EVENT_PAUSE_S = 0.15
"""At most one `LeaseRecallRequested` an account and process in this time: refused calls must not fill the log."""
RECALL_LOOK_S = 0.05
"""While answers are awaited the wallet is looked at this often: a dead owner's lease is settled without an answer."""


class _Waiter:
    __slots__ = ("admission", "hold")

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.hold: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()


class AccountCredit:
    """The lease, the wallet and the queue of one account. Belongs to the event loop."""

    def __init__(self, account_id: UUID, tools: LedgerTools) -> None:
        self.account_id = account_id
        self._tools = tools
        self._lender = Lender(account_id, tools)
        self._active: LiveLease | None = None
        self._draining: list[LiveLease] = []
        self._rate = SpendingRate(tools.clock.monotonic_s())
        self._target_nano = 0  #: what was free after the lease was last extended
        self._near_zero = False
        self._waiters: deque[_Waiter] = deque()
        self._serving = False
        self._topping_up = False
        self._recall: Recall | None = None
        self._recall_recorded_s = -RECALL_EVENT_PAUSE_S
        self._give_back_timer: asyncio.TimerHandle | None = None
        self._upkeep = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- requests

    def try_hold(self, admission: Admission) -> Hold | None:
        """Admit from memory, or None when the lease does not cover the worst case.

        Raises:
            JournalFull: events wait too long for their commit; nothing is held.
        """
        live = self._active
        if live is None or live.lost or live.lease.free_nano < admission.hold_nano:
            return None
        clock = self._tools.clock
        admitted = live.record(
            lease_rules.admit(
                live.lease,
                request_id=admission.request_id,
                key_id=admission.key_id,
                alias=admission.alias,
                stream=admission.stream,
                hold_nano=admission.hold_nano,
                price_version=admission.price_version,
                client_ref=admission.client_ref,
                now_us=clock.now_us(),
            )
        )
        live.used_s = clock.monotonic_s()
        self._rate.add(admission.hold_nano)
        if live.lease.free_nano < self._target_nano * REFILL_SHARE and not self._topping_up:
            self._topping_up = True
            self._start(self._top_up())
        return Hold(live, admission, admitted)

    async def hold(self, admission: Admission) -> Hold:
        """Admit, borrowing as needed.

        Raises:
            InsufficientCredit: what is available here and elsewhere does not cover the worst case; nothing is held.
            JournalFull, LogUnavailable: the ledger cannot be written; nothing is held.
        """
        if not self._waiters:
            hold = self.try_hold(admission)
            if hold is not None:
                return hold
        waiter = _Waiter(admission)
        self._waiters.append(waiter)
        if not self._serving:
            self._serving = True
            self._start(self._serve())
        try:
            async with asyncio.timeout(self._tools.limits.hold_wait_s):
                return await waiter.hold
        except TimeoutError:
            self._return_unused(waiter)
            raise LogUnavailable("the ledger did not answer in time") from None
        except asyncio.CancelledError:
            self._return_unused(waiter)
            raise

    def settled(self) -> None:
        """Tell that a hold ended, so that what it left over does not lie idle near zero."""
        if self._near_zero and self._give_back_timer is None:
            loop = asyncio.get_running_loop()
            self._give_back_timer = loop.call_later(GIVE_BACK_DELAY_S, self._give_back_when_unused)

    def lose(self, live: LiveLease) -> None:
        """Drop a lease that another writer has ended; the next request opens a new one."""
        live.lost = True
        if self._active is live:
            self._active = None
        if live in self._draining:
            self._draining.remove(live)

    # --- messages of other processes

    def recall_asked(self) -> None:
        """Another process would refuse a request: give back what is not held, then say so."""
        self._start(self._answer_recall())

    def recall_answered(self, instance_id: UUID) -> None:
        if self._recall is not None:
            self._recall.answered_by(instance_id)

    # --- upkeep

    def known_balance_nano(self) -> int:
        """What is available as far as this process knows: other processes' open leases count as unspent."""
        leases = [*self._draining, self._active] if self._active else self._draining
        spent_nano = sum(live.lease.charged_nano + live.lease.held_nano for live in leases)
        return self._lender.access.wallet.posted_nano - spent_nano

    @property
    def is_idle(self) -> bool:
        """Nothing is lent, held or waited for: this object can be forgotten."""
        return not (self._active or self._draining or self._waiters or self._tasks)

    async def keep_up(self) -> None:
        """Rotate old leases, close drained ones, give idle credit back. Called about twice a second."""
        live, limits, now_s = self._active, self._tools.limits, self._tools.clock.monotonic_s()
        if live is not None:
            idle_s = now_s - live.used_s
            worn = live.lease.charges >= limits.lease_charges_max
            old = now_s - live.opened_s >= limits.lease_age_s_max
            if worn or old or live.lost or (idle_s >= limits.lease_valid_s and not live.lease.holds):
                self._drain_active()
            elif idle_s >= limits.lease_valid_s / 5:
                await self._give_back(live)
        await self._close_drained()

    async def close(self) -> None:
        """Settle every lease that holds nothing; what still holds is left to the reaper."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._drain_active()
        await self._close_drained()

    # --- the banker

    async def _serve(self) -> None:
        try:
            while self._waiters:
                await self._serve_first(self._waiters[0])
        except BaseException:
            for waiter in self._waiters:
                if not waiter.hold.done():
                    waiter.hold.set_exception(LogUnavailable("the ledger failed to serve this account"))
            self._waiters.clear()
            raise
        finally:
            self._serving = False

    async def _serve_first(self, waiter: _Waiter) -> None:
        if waiter.hold.done():  # the request left before its turn
            self._waiters.popleft()
            return
        try:
            hold = self.try_hold(waiter.admission)
            if hold is None:
                await self._borrow(waiter.admission.hold_nano)
                return
        except InsufficientCredit as refusal:
            self._refuse_beyond(refusal.available_nano)
        except (EventLogError, LedgerRefusal) as error:
            self._waiters.popleft()
            if not waiter.hold.done():
                waiter.hold.set_exception(error)
        else:
            self._waiters.popleft()
            waiter.hold.set_result(hold)

    def _return_unused(self, waiter: _Waiter) -> None:
        """The request was cancelled in the moment in which its hold was made."""
        if waiter.hold.done() and not waiter.hold.cancelled() and waiter.hold.exception() is None:
            now_us = self._tools.clock.now_us()
            waiter.hold.result().release_unwatched(
                code="client_closed", attempts=(), total_ms=0, now_us=now_us
            )
            self.settled()

    def _refuse_beyond(self, available_nano: int) -> None:
        """Refuse all who wait for more than `available_nano`: they all waited for the same answers."""
        waiting, self._waiters = self._waiters, deque()
        for waiter in waiting:
            hold_nano = waiter.admission.hold_nano
            if waiter.hold.done():
                continue
            if hold_nano > available_nano:
                refusal = InsufficientCredit(required_nano=hold_nano, available_nano=available_nano)
                waiter.hold.set_exception(refusal)
            else:
                self._waiters.append(waiter)

    async def _borrow(self, hold_nano: int) -> None:
        """Make the lease cover `hold_nano`, asking the other processes if the wallet does not have it."""
        access = self._lender.access
        covered = self._covered_by(access.wallet, hold_nano) or self._covered_by(
            await access.refresh(), hold_nano
        )
        if not covered:
            await self._gather()
            covered = self._covered_by(access.wallet, hold_nano)
        if not covered and not await self._recall_until(hold_nano):
            available_nano = access.wallet.available_nano + self._free_nano()
            raise InsufficientCredit(required_nano=hold_nano, available_nano=available_nano)
        await self._extend_or_open(hold_nano)

    async def _gather(self) -> None:
        """Bring what rotated leases hold for no request, and what is on its way, back to the wallet.

        A give-back leaves the lease before it reaches the wallet; in between the credit is seen in neither.
        """
        for live in list(self._draining):
            await self._give_back(live)
        async with self._upkeep:
            pass

    async def _extend_or_open(self, hold_nano: int) -> None:
        """Borrow; when someone else was faster at the wallet or the lease was lost, the banker starts over."""
        live = self._active
        try:
            if live is None or live.lost:
                self._active = await self._lender.open(lambda wallet: self._size(wallet, hold_nano))
            else:
                await self._lender.extend(live, lambda wallet: self._size(wallet, hold_nano))
        except InsufficientCredit:
            return
        except (LeaseEnded, VersionConflict):
            if live is not None:
                self.lose(live)
        self._target_nano = 0 if self._near_zero else self._free_nano()

    def _size(self, wallet: Wallet, hold_nano: int) -> Size:
        waiting_nano = sum(waiter.admission.hold_nano for waiter in self._waiters)
        need_nano = max(hold_nano - self._free_nano(), 1)
        size = lease_size(
            need_nano=max(need_nano, min(waiting_nano - self._free_nano(), wallet.available_nano)),
            available_nano=wallet.available_nano,
            hold_nano=max(hold_nano, self._rate.typical_hold_nano),
            rate_nano_s=self._rate.per_second(self._tools.clock.monotonic_s()),
            processes=self._tools.gateways.count,
        )
        self._near_zero = size.mode == "micro"
        return size

    async def _top_up(self) -> None:
        """Extend the lease before it is used up; near zero there is nothing to extend it by."""
        try:
            wallet = await self._lender.access.refresh()
            self._target_nano = 0
            if wallet.available_nano and self._size(wallet, self._free_nano() + 1).mode == "bulk":
                await self._extend_or_open(self._free_nano() + 1)
        except (EventLogError, LedgerRefusal):
            pass  # the next request that needs more asks again, and is told why
        finally:
            self._topping_up = False

    # --- recall

    async def _recall_until(self, hold_nano: int) -> bool:
        """Ask the other owners; False when all have answered, or time is up, and it still does not suffice."""
        access, me = self._lender.access, self._tools.owner
        others = [lease for lease in access.wallet.leases.values() if lease.owner != me]
        at_best_nano = access.wallet.available_nano + self._free_nano() + sum(o.amount_nano for o in others)
        if not others or at_best_nano < hold_nano:
            return False
        recall = self._recall = Recall({lease.owner.instance_id for lease in others})
        try:
            await self._record_recall(hold_nano)
            self._tools.messages.ask(self.account_id)
            async with asyncio.timeout(self._tools.limits.recall_wait_s):
                while True:
                    complete = recall.complete
                    if self._covered_by(await access.refresh(), hold_nano):
                        return True
                    if complete:
                        return False
                    await recall.next_answer(within_s=RECALL_LOOK_S)
        except TimeoutError:
            return False
        finally:
            self._recall = None

    async def _record_recall(self, wanted_nano: int) -> None:
        now_s = self._tools.clock.monotonic_s()
        if now_s - self._recall_recorded_s < RECALL_EVENT_PAUSE_S:
            return
        self._recall_recorded_s = now_s
        await self._lender.access.change(
            lambda wallet: request_recall(
                wallet,
                account_id=self.account_id,
                by=self._tools.owner,
                wanted_nano=wanted_nano,
                now_us=self._tools.clock.now_us(),
            )
        )

    async def _answer_recall(self) -> None:
        for live in [*self._draining, self._active]:
            if live is not None:
                await self._give_back(live)
        await self._close_drained()
        self._tools.messages.answer(self.account_id)

    # --- giving back

    def _give_back_when_unused(self) -> None:
        self._give_back_timer = None
        if self._active is not None and not self._waiters:
            self._start(self._give_back(self._active))

    async def _give_back(self, live: LiveLease) -> None:
        async with self._upkeep:
            try:
                await self._lender.give_back(live)
            except (LeaseEnded, VersionConflict):
                self.lose(live)
            except EventLogError:
                pass  # what the wallet did not take back now, it takes when the lease is settled

    def _drain_active(self) -> None:
        if self._active is not None and not self._active.lost:
            self._draining.append(self._active)
        self._active = None

    async def _close_drained(self) -> None:
        async with self._upkeep:
            self._draining = [live for live in self._draining if not live.lost]
            for live in [live for live in self._draining if not live.lease.holds]:
                try:
                    await self._lender.close(live)
                    self._draining.remove(live)
                except (LedgerRefusal, VersionConflict):
                    self.lose(live)
                except EventLogError:
                    return  # tried again with the next upkeep

    # --- helpers

    def _free_nano(self) -> int:
        live = self._active
        return live.lease.free_nano if live is not None and not live.lost else 0

    def _covered_by(self, wallet: Wallet, hold_nano: int) -> bool:
        return wallet.available_nano + self._free_nano() >= hold_nano

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
