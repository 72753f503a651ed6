"""The hard budgets of one account in one gateway process: shares of them for its leases, and refusals.

Requests are admitted from shares in memory. Who lacks one comes to `cover`, which lends more, settles what the dead left, asks
the other processes, or refuses. Nothing here is done for an account without budgets.
"""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from application.eventlog import EventLogError, VersionConflict
from application.ledger.budget_buckets import Current, CurrentBuckets
from application.ledger.lender import LedgerTools
from application.ledger.live_lease import Admission, LiveLease
from application.ledger.own_leases import OwnLeases
from application.ledger.recall import Recall
from application.ledger.recaller import LOOKS_PER_QUESTION, RECALL_LOOK_S
from application.ledger.share_access import ShareAccess
from application.ledger.share_lender import ShareLender
from application.ledger.sizing import is_scarce
from application.ledger.wallet_access import WalletAccess
from domain.budgets.book import Share, share_stream
from domain.ledger import shares
from domain.ledger.lease import Lease
from domain.ledger.refusals import BudgetExceeded, LeaseEnded
from domain.ledger.shares import BudgetBucket, Draw

REFUSAL_BELIEVED_S = 0.25
"""For so long a refusal answers for others like it: a client that retries in a loop must not read the log each time."""
FORGET_S = 600.0


class BudgetDesk:
    """Belongs to the event loop."""

    def __init__(
        self, account_id: UUID, *, leases: OwnLeases, wallet: WalletAccess, tools: LedgerTools
    ) -> None:
        self.is_in_use = False  #: a hard budget was ever met here
        self._account_id = account_id
        self._leases = leases
        self._wallet = wallet
        self._tools = tools
        self._lender = ShareLender(tools)
        self._buckets = CurrentBuckets()
        self._accesses: dict[UUID, ShareAccess] = {}
        self._of_bucket: dict[BudgetBucket, ShareAccess] = {}
        self._questions: set[Recall] = set()

    # --- requests

    def draws(self, admission: Admission, lease: Lease, now_us: int) -> tuple[Draw, ...] | None:
        """What the admission counts in; None when the lease has too small a share of something."""
        draws = self._buckets.draws(admission.budgets, now_us)
        if self._buckets.is_lowered(admission.budgets):
            return None
        return None if shares.lacking(lease.shares, draws, admission.hold_nano) else draws

    def refuse_known(self, admission: Admission) -> None:
        """Refuse what was refused a moment ago, without asking anybody.

        Raises:
            BudgetExceeded: so it is.
        """
        now_us, now_s = self._tools.clock.now_us(), self._tools.clock.monotonic_s()
        for current in self._hard(admission, now_us):
            access = self._of_bucket.get(current.draw.bucket)
            if access is None or access.refused is None or current.budget.budget_id in self._buckets.lowered:
                continue
            available_nano, until_s = access.refused
            if now_s < until_s and available_nano < admission.hold_nano:
                raise self._refusal(current, admission, available_nano)

    async def cover(self, live: LiveLease, admission: Admission) -> None:
        """Have the lease's shares cover a request, each hard budget in turn.

        When someone else was faster, or the lease was lost, they may not cover it: call again.

        Raises:
            BudgetExceeded: neither the budget nor what others hold idle of it covers it.
            JournalFull, LogUnavailable: the ledger cannot be read or written.
        """
        for current in self._hard(admission, self._tools.clock.now_us()):
            access = self._access(current)
            access.wanted_nano += admission.hold_nano
            try:
                await self._cover(live, access, current, admission)
            except (LeaseEnded, VersionConflict):
                self._leases.lose(live)
                return
            finally:
                access.wanted_nano -= admission.hold_nano

    def hold_ended(self) -> None:
        """Something may have come free: what was refused may be asked for again."""
        for access in self._accesses.values():
            access.refused = None

    @property
    def is_near_end(self) -> bool:
        """Of some budget only the exact need is lent: what lies idle of it should go back soon."""
        return any(access.is_near_end for access in self._accesses.values())

    # --- others

    def recall_answered(self, instance_id: UUID) -> None:
        for question in self._questions:
            question.answered_by(instance_id)

    async def give_back(self, leases: Iterable[LiveLease]) -> bool:
        """Return what no request holds of any share. False when the log did not take all of it."""
        is_done = True
        for live in leases:
            for bucket in list(live.lease.shares):
                is_done &= await self._give_back(live, bucket)
        return is_done

    async def give_back_scarce(self, live: LiveLease) -> None:
        """Return what no request holds of budgets that are near their end."""
        for bucket in list(live.lease.shares):
            access = self._of_bucket.get(bucket)
            if access is not None and access.is_near_end:
                await self._give_back(live, bucket)

    async def keep_up(self) -> None:
        """Return what is left of buckets that are over or in leases that drain; settle what has ended here."""
        now_us = self._tools.clock.now_us()
        for live in list(self._leases):
            for bucket, share in list(live.lease.shares.items()):
                if share.free_nano and (
                    live is not self._leases.active or not self._is_current(bucket, now_us)
                ):
                    await self._give_back(live, bucket)
        await self.settle_closed()
        self._forget()

    def _forget(self) -> None:
        in_use = {bucket for live in self._leases for bucket in live.lease.shares}
        unused_since_s = self._tools.clock.monotonic_s() - FORGET_S
        for bucket, access in list(self._of_bucket.items()):
            if bucket not in in_use and access.used_s < unused_since_s:
                del self._of_bucket[bucket]
        known = set(map(id, self._of_bucket.values()))
        self._accesses = {one: kept for one, kept in self._accesses.items() if id(kept) in known}

    async def settle_closed(self) -> None:
        """Account for the shares of leases that were closed here. What fails, whoever needs it does."""
        while self._leases.closed:
            lease = self._leases.closed.pop()
            for bucket in lease.shares:
                access = self._of_bucket.get(bucket)
                if access is not None:
                    try:
                        async with access.turn:
                            await self._lender.settle(access, bucket, lease.lease_id)
                    except EventLogError:
                        return

    # --- covering

    async def _cover(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> None:
        async with access.turn:
            if await self._is_covered(live, access, current, admission):
                return
            await self._gather(live, access, current)
            if await self._lent(live, access, current, admission):
                return
        await self._recall(live, access, current, admission)
        async with access.turn:
            if not await self._lent(live, access, current, admission):
                raise self._refused(live, access, current, admission)

    async def _is_covered(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> bool:
        """Without a look at others."""
        bucket = current.draw.bucket
        if current.budget.budget_id in self._buckets.lowered:
            for own in list(self._leases):
                await self._lender.give_back(own, access, bucket)
            self._buckets.lowered.discard(current.budget.budget_id)
        if shares.free_nano(live.lease.shares, bucket) >= admission.hold_nano:
            return True
        await access.refresh()
        return await self._lent(live, access, current, admission)

    async def _lent(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> bool:
        """Lend if there is enough; whether there was, even if somebody was faster then."""
        budget, bucket, hold_nano = current.budget, current.draw.bucket, admission.hold_nano
        if self._lender.coverable_nano(live, access, budget, bucket) < hold_nano:
            return False
        await self._lender.lend(live, access, budget, bucket, hold_nano)
        access.is_near_end = is_scarce(
            available_nano=self._lender.coverable_nano(live, access, budget, bucket),
            hold_nano=hold_nano,
            processes=self._tools.gateways.count,
        )
        return True

    async def _gather(self, live: LiveLease, access: ShareAccess, current: Current) -> None:
        """Bring together what nobody uses: in other leases of ours, in other hours, in leases that have ended."""
        budget, bucket = current.budget, current.draw.bucket
        for own in list(self._leases):
            for one in list(own.lease.shares):
                counts = abs(one.start_us - bucket.start_us) <= budget.window.reach_us
                if one.budget_id == bucket.budget_id and counts and (own is not live or one != bucket):
                    await self._lender.give_back(own, access, one)
        await self._settle_ended(access, current)

    async def _settle_ended(self, access: ShareAccess, current: Current) -> None:
        """The shares were read before the wallet: a lease that is not open in it has ended."""
        others = self._shares_of_others(access, current)
        if not others:
            return
        open_leases = (await self._wallet.refresh()).leases
        for start_us, lease_id, _ in others:
            if lease_id not in open_leases:
                bucket = BudgetBucket(current.budget.budget_id, start_us)
                await self._lender.settle(access, bucket, lease_id)

    def _shares_of_others(self, access: ShareAccess, current: Current) -> list[tuple[int, UUID, Share]]:
        mine = {live.lease.lease_id for live in self._leases}
        found = access.book.open_shares(current.budget, current.bucket.start_us)
        return [one for one in found if one[1] not in mine]

    # --- asking others

    async def _recall(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> None:
        """Ask who has shares to give back what they do not hold, until there is enough, or all have answered."""
        asked: set[UUID] = set()
        try:
            async with asyncio.timeout(self._tools.limits.recall_wait_s):
                while owners := self._worth_asking(live, access, current, admission) - asked:
                    asked |= owners
                    if await self._ask(owners, live, access, current, admission):
                        return
        except TimeoutError:
            pass

    def _worth_asking(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> set[UUID]:
        others = [
            share
            for _, _, share in self._shares_of_others(access, current)
            if share.owner != self._tools.owner
        ]
        at_best_nano = self._lender.coverable_nano(live, access, current.budget, current.draw.bucket)
        at_best_nano += sum(share.amount_nano for share in others)
        return {share.owner.instance_id for share in others} if at_best_nano >= admission.hold_nano else set()

    async def _ask(
        self,
        owners: set[UUID],
        live: LiveLease,
        access: ShareAccess,
        current: Current,
        admission: Admission,
    ) -> bool:
        question = Recall(owners)
        self._questions.add(question)
        looks = 0
        try:
            while True:
                if looks % LOOKS_PER_QUESTION == 0:
                    self._tools.messages.ask(self._account_id)
                looks += 1
                is_complete = question.is_complete
                async with access.turn:
                    await access.refresh()
                    await self._settle_ended(access, current)
                    coverable_nano = self._lender.coverable_nano(
                        live, access, current.budget, current.draw.bucket
                    )
                if coverable_nano >= admission.hold_nano:
                    return True
                if is_complete:
                    return False
                await question.next_answer(within_s=RECALL_LOOK_S)
        finally:
            self._questions.discard(question)

    # --- the rest

    async def _give_back(self, live: LiveLease, bucket: BudgetBucket) -> bool:
        access = self._of_bucket.get(bucket)
        if access is None:
            return False
        async with access.turn:
            try:
                await self._lender.give_back(live, access, bucket)
            except (LeaseEnded, VersionConflict):
                self._leases.lose(live)
            except EventLogError:
                return False
        return True

    def _refused(
        self, live: LiveLease, access: ShareAccess, current: Current, admission: Admission
    ) -> BudgetExceeded:
        available_nano = self._lender.coverable_nano(live, access, current.budget, current.draw.bucket)
        access.refused = (available_nano, self._tools.clock.monotonic_s() + REFUSAL_BELIEVED_S)
        return self._refusal(current, admission, available_nano)

    def _refusal(self, current: Current, admission: Admission, available_nano: int) -> BudgetExceeded:
        bucket = current.draw.bucket
        held = (live.lease.shares[bucket].held_nano for live in self._leases if bucket in live.lease.shares)
        return BudgetExceeded(
            current.budget.budget_id,
            budget_nano=current.budget.amount_nano,
            required_nano=admission.hold_nano,
            available_nano=max(available_nano, 0),
            held_nano=sum(held),
            until_us=current.bucket.end_us,
        )

    def _hard(self, admission: Admission, now_us: int) -> list[Current]:
        return [self._buckets.current(one, now_us) for one in admission.budgets if one.is_hard]

    def _is_current(self, bucket: BudgetBucket, now_us: int) -> bool:
        return self._buckets.is_current(bucket, now_us)

    def _access(self, current: Current) -> ShareAccess:
        self.is_in_use = True
        stream_id = share_stream(current.budget, current.bucket.start_us)
        access = self._accesses.get(stream_id)
        if access is None:
            access = ShareAccess(stream_id, store=self._tools.store, journal=self._tools.journal)
            self._accesses[stream_id] = access
        self._of_bucket[current.draw.bucket] = access
        access.used_s = self._tools.clock.monotonic_s()
        return access
