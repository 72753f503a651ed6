"""Moves parts of budgets between a budget's stream and this process's leases: lend, give back, settle.

As with credit, the budget lends first and the lease is raised then; the lease gives back first and the budget takes then. What is
between the two is in the book and not in the lease: it is loose, and is brought to one of the two by whatever comes next.
"""

import asyncio
import contextlib
from uuid import UUID

from application.ledger.ended_leases import charged_by
from application.ledger.lender import LedgerTools
from application.ledger.live_lease import LiveLease
from application.ledger.share_access import ShareAccess
from application.ledger.sizing import share_nano
from domain.budgets import book as rules
from domain.budgets.book import BudgetBook, BudgetSpent, ShareGone
from domain.budgets.budget import Budget
from domain.budgets.events import ShareEvent
from domain.ledger import leasing, shares
from domain.ledger.shares import BudgetBucket


class ShareLender:
    """Belongs to the event loop. Callers have the access's turn.

    Every method raises `EventLogError` when nothing could be stored, and `VersionConflict` or `LeaseEnded` when the lease's
    stream has another writer: then the lease is lost.
    """

    def __init__(self, tools: LedgerTools) -> None:
        self._tools = tools

    def coverable_nano(
        self, live: LiveLease, access: ShareAccess, budget: Budget, bucket: BudgetBucket
    ) -> int:
        """What a request of this lease may hold of a bucket, as far as is known: lent to it, or to nobody."""
        available_nano = rules.available_nano(access.book, budget, bucket.start_us)
        return (
            available_nano
            + _loose_nano(live, access.book, bucket)
            + shares.free_nano(live.lease.shares, bucket)
        )

    async def lend(
        self, live: LiveLease, access: ShareAccess, budget: Budget, bucket: BudgetBucket, hold_nano: int
    ) -> None:
        """Raise the lease's share to cover a hold, and more when there is plenty; not at all if others were faster."""

        def decide(book: BudgetBook) -> list[ShareEvent]:
            has_nano = shares.free_nano(live.lease.shares, bucket) + _loose_nano(live, book, bucket)
            available_nano = rules.available_nano(book, budget, bucket.start_us)
            wanted_nano = min(max(hold_nano, access.wanted_nano) - has_nano, available_nano)
            need_nano = max(hold_nano - has_nano, wanted_nano)
            if need_nano <= 0:
                return []
            return rules.grant_share(
                book,
                budget,
                bucket_us=bucket.start_us,
                lease_id=live.lease.lease_id,
                owner=self._tools.owner,
                amount_nano=share_nano(
                    need_nano=need_nano,
                    available_nano=available_nano,
                    hold_nano=hold_nano,
                    processes=self._tools.gateways.count,
                ),
                now_us=self._tools.clock.now_us(),
            )

        try:
            await access.change(decide)
        except BudgetSpent:
            return
        loose_nano = _loose_nano(live, access.book, bucket)
        if loose_nano > 0 and not live.lost:
            live.record(leasing.raise_share(live.lease, bucket=bucket, amount_nano=loose_nano))

    async def give_back(self, live: LiveLease, access: ShareAccess, bucket: BudgetBucket) -> None:
        """Return what no request holds of a share, and what is loose."""
        if live.lost:
            return
        free_nano = shares.free_nano(live.lease.shares, bucket)
        if free_nano > 0:
            await live.record(leasing.return_share(live.lease, bucket=bucket, amount_nano=free_nano))

        def decide(book: BudgetBook) -> list[ShareEvent]:
            loose_nano = _loose_nano(live, book, bucket)
            if loose_nano <= 0 or live.lost:  # what the lease gave back may be gone: its settlement tells
                return []
            return rules.return_share(
                book,
                bucket.budget_id,
                bucket_us=bucket.start_us,
                lease_id=live.lease.lease_id,
                amount_nano=loose_nano,
                now_us=self._tools.clock.now_us(),
            )

        await access.change(decide)

    async def settle(self, access: ShareAccess, bucket: BudgetBucket, lease_id: UUID) -> None:
        """Account for the share of a lease, if that has ended; whoever comes second does nothing."""
        charged_nano = await asyncio.to_thread(charged_by, self._tools.store, lease_id, bucket)
        if charged_nano is None:
            return
        with contextlib.suppress(ShareGone):
            await access.change(
                lambda book: rules.settle_share(
                    book,
                    bucket.budget_id,
                    bucket_us=bucket.start_us,
                    lease_id=lease_id,
                    charged_nano=charged_nano,
                    now_us=self._tools.clock.now_us(),
                )
            )


def _loose_nano(live: LiveLease, book: BudgetBook, bucket: BudgetBucket) -> int:
    """Lent to the lease and not counted on by it; below zero when its share was settled, for it has ended."""
    share = live.lease.shares.get(bucket)
    in_lease_nano = 0 if share is None else share.amount_nano
    return book.share_nano(bucket.start_us, live.lease.lease_id) - in_lease_nano
