"""One account's credit in one gateway process: hold from the lease in memory, borrow when it is used up.

The fast path is `try_hold`. Requests that it cannot serve queue for a single task, which has the banker extend the
lease, or open one, or ask the other processes, or refuse. Its work is never cancelled with a request.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from application.eventlog import EventLogError, LogUnavailable
from application.ledger.banker import Banker
from application.ledger.budget_desk import BudgetDesk
from application.ledger.lender import LedgerTools, Lender
from application.ledger.live_lease import Admission, Hold, LiveLease
from application.ledger.own_leases import OwnLeases
from application.ledger.recaller import Recaller
from application.ledger.sizing import SpendingRate
from application.ledger.waiting_room import Waiter, WaitingRoom
from domain.ledger import lease as lease_rules
from domain.ledger.refusals import AccountInDebt, InsufficientCredit, LedgerRefusal

GIVE_BACK_DELAY_S = 0.02
"""Near zero, credit that a settled request left over is given back after this pause, so that several go together."""
IDLE_SHARE = 0.2
"""A lease that no request has used for this share of its validity gives back what is free."""


class AccountCredit:
    """The way in for requests and messages of one account. Belongs to the event loop."""

    def __init__(self, account_id: UUID, tools: LedgerTools) -> None:
        self.account_id = account_id
        self._tools = tools
        self._lender = Lender(account_id, tools)
        self._leases = OwnLeases(self._lender, tools)
        self._waiting = WaitingRoom()
        self._recaller = Recaller(account_id, self._lender.access, tools)
        self._rate = SpendingRate(tools.clock.monotonic_s())
        self._banker = Banker(
            self._lender, self._leases, self._waiting, recaller=self._recaller, rate=self._rate, tools=tools
        )
        self._desk = BudgetDesk(account_id, leases=self._leases, wallet=self._lender.access, tools=tools)
        self._serving = False
        self._topping_up = False
        self._give_back_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- requests

    def try_hold(self, admission: Admission) -> Hold | None:
        """Admit from memory, or None when the lease, or its share of a hard budget, does not cover the worst case.

        Raises:
            JournalFull: events wait too long for their commit; nothing is held.
        """
        live = self._leases.active
        if live is None or live.lost or live.lease.free_nano < admission.hold_nano:
            return None
        clock = self._tools.clock
        now_us = clock.now_us()
        draws = self._desk.draws(admission, live.lease, now_us) if admission.budgets else ()
        if draws is None:
            return None
        try:
            decided = lease_rules.admit(
                live.lease,
                request_id=admission.request_id,
                key_id=admission.key_id,
                alias=admission.alias,
                stream=admission.stream,
                hold_nano=admission.hold_nano,
                price_version=admission.price_version,
                client_ref=admission.client_ref,
                now_us=now_us,
                draws=draws,
            )
        except InsufficientCredit:  # what is free is of lots for other models, or that are over
            return None
        admitted = live.record(decided)
        live.used_s = clock.monotonic_s()
        self._rate.add(admission.hold_nano)
        if live.lease.free_nano < self._banker.top_up_below_nano and not self._topping_up:
            self._topping_up = True
            self._start(self._top_up(admission.alias))
        return Hold(live, admission, admitted)

    async def hold(self, admission: Admission) -> Hold:
        """Admit, borrowing as needed.

        Raises:
            InsufficientCredit: what is available here and elsewhere does not cover the worst case; nothing is held.
            AccountInDebt: the account owes something; nothing is held.
            BudgetExceeded: likewise of a hard budget.
            JournalFull, LogUnavailable: the ledger cannot be written; nothing is held.
        """
        if not self._waiting:
            hold = self.try_hold(admission)
            if hold is not None:
                return hold
        if admission.budgets:
            self._desk.refuse_known(admission)
        waiter = self._waiting.enter(admission)
        self._begin_to_serve()
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
        is_scarce = self._banker.is_near_zero
        if self._desk.is_in_use:
            self._desk.hold_ended()
            is_scarce = is_scarce or self._desk.is_near_end
        if is_scarce and self._give_back_timer is None:
            loop = asyncio.get_running_loop()
            self._give_back_timer = loop.call_later(GIVE_BACK_DELAY_S, self._give_back_when_unused)

    def lose(self, live: LiveLease) -> None:
        """Drop a lease that another writer has ended; the next request opens a new one."""
        self._leases.lose(live)

    def lose_all(self) -> None:
        """As `lose`, of every lease."""
        for live in list(self._leases):
            self._leases.lose(live)

    # --- messages of other processes

    def recall_asked(self) -> None:
        """Another process would refuse a request: give back what is not held, then say so."""
        self._start(self._answer_recall())

    def recall_answered(self, instance_id: UUID) -> None:
        self._recaller.answered(instance_id)
        self._desk.recall_answered(instance_id)

    # --- upkeep

    def known_balance_nano(self) -> int:
        """What is available as far as this process knows: other processes' open leases count as unspent."""
        wallet = self._lender.access.wallet
        return wallet.posted_nano - wallet.frozen_nano - self._leases.spent_nano

    @property
    def is_idle(self) -> bool:
        """Nothing is lent, held or waited for: this object can be forgotten."""
        return self._leases.is_empty and not (self._waiting or self._tasks)

    async def keep_up(self) -> None:
        """Rotate old leases, close drained ones, give idle credit back. Called about twice a second."""
        live, limits, now_s = self._leases.active, self._tools.limits, self._tools.clock.monotonic_s()
        if live is not None:
            idle_s = now_s - live.used_s
            worn = live.lease.charges >= limits.lease_charges_max
            old = now_s - live.opened_s >= limits.lease_age_s_max
            if worn or old or live.lost or (idle_s >= limits.lease_valid_s and not live.lease.holds):
                self._leases.drain()
            elif idle_s >= limits.lease_valid_s * IDLE_SHARE or live.lease.has_expired(
                self._tools.clock.now_us()
            ):
                await self._leases.give_back(live)
                await self._desk.give_back([live])
        await self._leases.tidy()
        await self._desk.keep_up()

    async def close(self) -> None:
        """Settle every lease that holds nothing; what still holds is left to the reaper."""
        if self._give_back_timer is not None:
            self._give_back_timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._leases.drain()
        await self._leases.tidy()
        await self._desk.settle_closed()

    # --- tasks

    def _begin_to_serve(self) -> None:
        if not self._serving:
            self._serving = True
            self._start(self._serve())

    async def _serve(self) -> None:
        try:
            while self._waiting:
                await self._serve_first(self._waiting.first)
        except BaseException:
            self._waiting.refuse_all(LogUnavailable("the ledger failed to serve this account"))
            raise
        finally:
            self._serving = False

    async def _serve_first(self, waiter: Waiter) -> None:
        if waiter.hold.done():  # the request left before its turn
            self._waiting.leave_first()
            return
        try:
            hold = self.try_hold(waiter.admission)
            if hold is None and self._lacks_share_only(waiter.admission):
                self._waiting.leave_first()  # others need not wait for its budget
                self._start(self._serve_share(waiter))
                return
            if hold is None:
                await self._banker.borrow(waiter.admission)
                return
        except InsufficientCredit:
            self._waiting.refuse_beyond(self._banker.refusal)
        except AccountInDebt as error:
            self._waiting.refuse_all(error)
        except (EventLogError, LedgerRefusal) as error:
            self._waiting.leave_first()
            waiter.refuse(error)
        else:
            self._waiting.leave_first()
            waiter.hold.set_result(hold)

    def _lacks_share_only(self, admission: Admission) -> bool:
        now_us = self._tools.clock.now_us()
        free_nano = self._leases.free_for_nano(admission.alias, now_us)
        return bool(admission.budgets and self._leases.active and free_nano >= admission.hold_nano)

    async def _serve_share(self, waiter: Waiter) -> None:
        """Get the request its share of a budget, then serve it, or let it wait for credit again."""
        try:
            live = self._leases.active
            if live is not None:
                await self._desk.cover(live, waiter.admission)
            hold = None if waiter.hold.done() else self.try_hold(waiter.admission)
        except (EventLogError, LedgerRefusal) as error:
            waiter.refuse(error)
            return
        except BaseException:
            waiter.refuse(LogUnavailable("the ledger failed to serve this budget"))
            raise
        if hold is not None:
            waiter.hold.set_result(hold)
        elif not waiter.hold.done():
            self._waiting.enter_again(waiter)
            self._begin_to_serve()

    def _return_unused(self, waiter: Waiter) -> None:
        """The request was cancelled in the moment in which its hold was made."""
        hold = waiter.unused_hold
        if hold is not None:
            now_us = self._tools.clock.now_us()
            hold.release_unwatched(code="client_closed", attempts=(), total_ms=0, now_us=now_us)
            self.settled()

    async def _top_up(self, alias: str) -> None:
        try:
            await self._banker.top_up(alias)
        finally:
            self._topping_up = False

    async def _answer_recall(self) -> None:
        is_given_back = await self._leases.give_all_back()
        is_given_back &= await self._desk.give_back(list(self._leases))
        await self._leases.tidy()
        if is_given_back:  # else the one who asks goes on looking at the wallet
            self._tools.messages.answer(self.account_id)

    def _give_back_when_unused(self) -> None:
        self._give_back_timer = None
        if self._leases.active is not None and not self._waiting:
            self._start(self._give_back(self._leases.active))

    async def _give_back(self, live: LiveLease) -> None:
        """What fails is tried again by the upkeep."""
        if self._banker.is_near_zero:
            await self._leases.give_back(live)
        await self._desk.give_back_scarce(live)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
