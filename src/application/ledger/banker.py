"""Borrows for one account: decides how much, extends or opens the lease, and asks the others before a refusal."""

import asyncio

from application.eventlog import EventLogError, VersionConflict
from application.ledger.lender import LedgerTools, Lender
from application.ledger.live_lease import Admission
from application.ledger.own_leases import OwnLeases
from application.ledger.recaller import Recaller
from application.ledger.sizing import REFILL_SHARE, Size, SpendingRate, lease_size
from application.ledger.waiting_room import WaitingRoom
from domain.ledger.refusals import AccountInDebt, InsufficientCredit, LeaseEnded, LedgerRefusal
from domain.ledger.wallet import Wallet


class Banker:
    """Belongs to the event loop. Its work is never cancelled with a request."""

    def __init__(
        self,
        lender: Lender,
        leases: OwnLeases,
        waiting: WaitingRoom,
        *,
        recaller: Recaller,
        rate: SpendingRate,
        tools: LedgerTools,
    ) -> None:
        self.is_near_zero = False  #: only the exact need is lent
        self.top_up_below_nano = 0.0  #: with less free than this, the lease should be topped up
        self._lender = lender
        self._leases = leases
        self._waiting = waiting
        self._recaller = recaller
        self._tools = tools
        self._rate = rate
        self._borrowing = asyncio.Lock()  #: two at once would open two leases, and lose sight of one

    async def borrow(self, admission: Admission) -> None:
        """Make the lease cover a request, asking the other processes if the wallet does not have it.

        When someone else was faster at the wallet, or the lease was lost, it may not cover it: call again.

        Raises:
            InsufficientCredit: neither the wallet nor what others hold idle covers it.
            AccountInDebt: the account owes something; what others hold idle would pay that.
            JournalFull, LogUnavailable: the ledger cannot be read or written.
        """
        leases, access = self._leases, self._lender.access
        if not self._covers(admission):
            await access.refresh()
        if access.wallet.owed_nano:
            raise AccountInDebt(owed_nano=access.wallet.owed_nano)
        if not self._covers(admission):
            await leases.gather()
            if not self._covers(admission) and not await self._recaller.ask_until(
                admission, available_nano=lambda: self.available_nano(admission.alias)
            ):
                raise self.refusal(admission)
        async with self._borrowing:
            if leases.free_for_nano(admission.alias, self._now_us()) < admission.hold_nano:
                await self._extend_or_open(admission.hold_nano, admission.alias)

    async def top_up(self, alias: str) -> None:
        """Extend the lease before it is used up; near zero there is nothing to extend it by."""
        try:
            wallet = await self._lender.access.refresh()
            async with self._borrowing:
                self.top_up_below_nano = 0.0
                need_nano = self._leases.free_for_nano(alias, self._now_us()) + 1
                lendable_nano = wallet.available_for_nano(alias, self._now_us())
                if lendable_nano and self._size(wallet, need_nano, alias).mode == "bulk":
                    await self._extend_or_open(need_nano, alias)
        except (EventLogError, LedgerRefusal):
            pass  # the next request that needs more asks again, and is told why

    def available_nano(self, alias: str) -> int:
        """What a request of this model may hold, as far as is known: lent to this process, or to nobody."""
        now_us = self._now_us()
        wallet = self._lender.access.wallet
        return wallet.available_for_nano(alias, now_us) + self._leases.free_for_nano(alias, now_us)

    def refusal(self, admission: Admission) -> InsufficientCredit:
        """Why a request is refused, with the numbers of its model."""
        return InsufficientCredit(
            required_nano=admission.hold_nano,
            available_nano=self.available_nano(admission.alias),
            held_nano=self._leases.held_nano,
        )

    async def _extend_or_open(self, hold_nano: int, alias: str) -> None:
        live = self._leases.active
        try:
            if live is None or live.lost:
                self._leases.drain()
                self._leases.active = await self._lender.open(
                    lambda wallet: self._size(wallet, hold_nano, alias), alias=alias
                )
            else:
                await self._lender.extend(
                    live, lambda wallet: self._size(wallet, hold_nano, alias), alias=alias
                )
        except InsufficientCredit:
            return
        except (LeaseEnded, VersionConflict):
            if live is not None:
                self._leases.lose(live)
        self.top_up_below_nano = 0.0 if self.is_near_zero else self._leases.free_nano * REFILL_SHARE

    def _size(self, wallet: Wallet, hold_nano: int, alias: str) -> Size:
        now_us = self._now_us()
        free_nano = self._leases.free_for_nano(alias, now_us)
        available_nano = wallet.available_for_nano(alias, now_us)
        need_nano = max(hold_nano - free_nano, 1)
        wanted_nano = min(self._waiting.wanted_nano - free_nano, available_nano)
        size = lease_size(
            need_nano=max(need_nano, wanted_nano),
            available_nano=available_nano,
            hold_nano=max(hold_nano, self._rate.typical_hold_nano),
            rate_nano_s=self._rate.per_second(self._tools.clock.monotonic_s()),
            processes=self._tools.gateways.count,
        )
        self.is_near_zero = size.mode == "micro"
        return size

    def _covers(self, admission: Admission) -> bool:
        return self.available_nano(admission.alias) >= admission.hold_nano

    def _now_us(self) -> int:
        return self._tools.clock.now_us()
