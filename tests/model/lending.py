"""A process moves credit between the wallet and its leases: in one append, or the safe side first."""

from collections.abc import Sequence
from uuid import UUID

from domain.event import Event
from domain.ledger.lease import Lease, open_lease
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit, LeaseEnded
from tests.model.journal import nothing
from tests.model.process import Draft, Process
from tests.model.world import ACCOUNT, Request, Violation


class Lender(Process):
    """Both sides of every movement."""

    def open(self, amount_nano: int) -> Lease:
        draft = Draft(self)
        lease = self._grant(draft, amount_nano, micro=False)
        self._submit(draft)
        return lease

    def top_up(self, lease: Lease, amount_nano: int, *, joint: bool) -> None:
        """Lend more, in one append, or to the lease when the wallet's side is durable."""
        lease_id = lease.lease_id
        if lease_id not in self.wallet.leases:
            self._drop(lease_id)
            return
        draft = Draft(self)
        if not self._world.switches.wallet_lends_first:
            draft.lease(lease, self._rules.top_up(lease, amount_nano=amount_nano))
            self._submit(draft, then=lambda: self._extend(lease_id, amount_nano))
            return
        self._extend(lease_id, amount_nano, draft=draft)
        if joint:
            draft.lease(lease, self._rules.top_up(lease, amount_nano=amount_nano))
            self._submit(draft)
        else:
            self._submit(draft, then=lambda: self._raise(lease_id, amount_nano))

    def give_back(self, lease: Lease, amount_nano: int, *, joint: bool) -> None:
        """Return what is free, in one append, or to the wallet when the lease's side is durable."""
        lease_id = lease.lease_id
        if lease_id not in self.wallet.leases:
            self._drop(lease_id)
            return
        draft = Draft(self)
        given = self._rules.give_back(lease, amount_nano=amount_nano)
        if not self._world.switches.lease_gives_first:
            self._reduce(lease_id, amount_nano)
            return
        draft.lease(lease, given)
        if joint:
            self._reduce(lease_id, amount_nano, draft=draft)
        self._submit(draft, then=nothing if joint else lambda: self._reduce(lease_id, amount_nano))

    def close(self, lease: Lease) -> None:
        """End a lease; raises `LeaseBusy` while it holds credit."""
        draft = Draft(self)
        if self._end(draft, lease):
            self._submit(draft, stored=lambda: self._forget(lease))

    def rotate(self, lease: Lease, amount_nano: int) -> None:
        """End a lease and open the next one in the same append."""
        draft = Draft(self)
        if not self._end(draft, lease):
            return
        amount_nano = min(amount_nano, self.wallet.available_nano)
        if amount_nano:
            self._grant(draft, amount_nano, micro=False)
        self._submit(draft, stored=lambda: self._forget(lease))

    def _forget(self, lease: Lease) -> None:
        if not lease.holds:
            self.leases.pop(lease.lease_id, None)

    def _lease_with(self, hold_nano: int) -> Lease | None:
        fitting = (lease for lease in self.bulk_leases() if lease.free_nano >= hold_nano)
        return next(fitting, None)

    def _borrow(self, request: Request) -> Lease:
        leases = self.bulk_leases()
        known = [lease for lease in leases if lease.lease_id in self.wallet.leases]
        wanted_nano = min(request.size_nano, self.wallet.available_nano)
        if not known:
            return self.open(max(request.hold_nano, wanted_nano))
        lease = known[0]
        self.top_up(lease, max(request.hold_nano - lease.free_nano, wanted_nano), joint=request.joint)
        if not request.joint:
            self.sync()
        if lease.lease_id not in self.leases:
            raise InsufficientCredit(required_nano=request.hold_nano, available_nano=0)
        return self.leases[lease.lease_id]

    def _grant(self, draft: Draft, amount_nano: int, *, micro: bool) -> Lease:
        lease = Lease(self._world.new_id())
        granted = self._rules.grant_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=lease.lease_id,
            owner=self.owner,
            mode="micro" if micro else "bulk",
            amount_nano=amount_nano,
            now_us=self._world.now_us(),
        )
        draft.wallet(granted)
        opened = open_lease(
            lease,
            account_id=ACCOUNT,
            owner=self.owner,
            amount_nano=amount_nano,
            valid_ms=10_000,
            now_us=self._world.now_us(),
        )
        draft.lease(lease, opened)
        self.leases[lease.lease_id] = lease
        if micro:
            self._micro.add(lease.lease_id)
        return lease

    def _extend(self, lease_id: UUID, amount_nano: int, *, draft: Draft | None = None) -> None:
        own = draft or Draft(self)
        own.wallet(
            self._rules.extend_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=lease_id,
                amount_nano=amount_nano,
                now_us=self._world.now_us(),
            )
        )
        if draft is None:
            self._submit(own)

    def _raise(self, lease_id: UUID, amount_nano: int) -> None:
        """The lease's side of a top-up whose wallet side is stored."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.ended:
            return
        draft = Draft(self)
        draft.lease(lease, self._rules.top_up(lease, amount_nano=amount_nano))
        self._submit(draft, redo=lambda: self._raise(lease_id, amount_nano))

    def _reduce(self, lease_id: UUID, amount_nano: int, *, draft: Draft | None = None) -> None:
        """The wallet's side of a return; if the lease was settled meanwhile it is done already."""
        own = draft or Draft(self)
        try:
            reduced = self._rules.reduce_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=lease_id,
                amount_nano=amount_nano,
                now_us=self._world.now_us(),
            )
        except LeaseEnded:
            return
        own.wallet(reduced)
        if draft is None:
            self._submit(own, redo=lambda: self._reduce(lease_id, amount_nano))

    def _end(self, draft: Draft, lease: Lease) -> bool:
        """Both sides of a lease's end; false when the wallet knows that it was ended by someone else."""
        if lease.lease_id not in self.wallet.leases:
            self._drop(lease.lease_id)
            return False
        draft.lease(lease, self._rules.close(lease, now_us=self._world.now_us()))
        draft.wallet(self._settlement(lease))
        return True

    def _settlement(self, lease: Lease) -> Sequence[Event]:
        try:
            return self._rules.settle_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=lease.lease_id,
                outcome="closed",
                charged_nano=lease.charged_nano,
                charges=lease.charges,
                last_version=lease.version,
                now_us=self._world.now_us(),
            )
        except AmountOutOfRange as refusal:
            raise Violation("P03", "more was charged than lent") from refusal
