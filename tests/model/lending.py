"""A process moves credit between the wallet and its leases: in one append, or the safe side first."""

from collections.abc import Sequence
from uuid import UUID

from domain.event import Event
from domain.ledger.lease import Lease
from domain.ledger.leasing import open_lease
from domain.ledger.lots import LentSlice, Slices, sum_nano
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit, LeaseEnded
from tests.model.journal import nothing
from tests.model.process import Draft, Process
from tests.model.world import ACCOUNT, ALIAS, Request, Violation


class Lender(Process):
    """Both sides of every movement."""

    def lendable_nano(self, alias: str) -> int:
        return self.wallet.available_for_nano(alias, self._world.at_us)

    def open(self, amount_nano: int, alias: str = ALIAS) -> Lease:
        draft = Draft(self)
        lease = self._grant(draft, amount_nano, alias=alias, micro=False)
        self._submit(draft)
        return lease

    def top_up(self, lease: Lease, amount_nano: int, alias: str = ALIAS, *, joint: bool) -> None:
        """Lend more, in one append, or to the lease when the wallet's side is durable."""
        lease_id = lease.lease_id
        if lease_id not in self.wallet.leases:
            self._drop(lease_id)
            return
        draft = Draft(self)
        if not self._world.switches.wallet_lends_first:
            draft.lease(lease, self._rules.top_up(lease, amount_nano=amount_nano))
            self._submit(draft, then=lambda: self._extend(lease_id, amount_nano, alias))
            return
        lent = self._extend(lease_id, amount_nano, alias, draft=draft)
        if joint:
            draft.lease(lease, self._topped_up(lease, lent))
            self._submit(draft)
        else:
            self._submit(draft, then=lambda: self._raise(lease_id, lent))

    def give_back(self, lease: Lease, amount_nano: int, *, joint: bool) -> None:
        """Return what is free, in one append, or to the wallet when the lease's side is durable."""
        lease_id = lease.lease_id
        if lease_id not in self.wallet.leases:
            self._drop(lease_id)
            return
        draft = Draft(self)
        (given,) = self._rules.give_back(lease, amount_nano=amount_nano)
        slices = given.slices or lease.of_its_lot(given.amount_nano)
        if not self._world.switches.lease_gives_first:
            self._reduce(lease_id, slices)
            return
        draft.lease(lease, [given])
        if joint:
            self._reduce(lease_id, slices, draft=draft)
        self._submit(draft, then=nothing if joint else lambda: self._reduce(lease_id, slices))

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
        amount_nano = min(amount_nano, self.lendable_nano(ALIAS))
        if amount_nano:
            self._grant(draft, amount_nano, alias=ALIAS, micro=False)
        self._submit(draft, stored=lambda: self._forget(lease))

    def _forget(self, lease: Lease) -> None:
        if not lease.holds:
            self.leases.pop(lease.lease_id, None)

    def _lease_with(self, request: Request) -> Lease | None:
        fitting = (
            lease for lease in self.bulk_leases() if self._free_nano(lease, request) >= request.hold_nano
        )
        return next(fitting, None)

    def _free_nano(self, lease: Lease, request: Request) -> int:
        return lease.free_for_nano(request.alias, self._world.at_us)

    def _borrow(self, request: Request) -> Lease:
        leases = self.bulk_leases()
        known = [lease for lease in leases if lease.lease_id in self.wallet.leases]
        wanted_nano = min(request.size_nano, self.lendable_nano(request.alias))
        if not known:
            return self.open(max(request.hold_nano, wanted_nano), request.alias)
        lease = known[0]
        missing_nano = request.hold_nano - self._free_nano(lease, request)
        self.top_up(lease, max(missing_nano, wanted_nano), request.alias, joint=request.joint)
        if not request.joint:
            self.sync()
        if lease.lease_id not in self.leases:
            raise InsufficientCredit(required_nano=request.hold_nano, available_nano=0)
        return self.leases[lease.lease_id]

    def _grant(self, draft: Draft, amount_nano: int, *, alias: str, micro: bool) -> Lease:
        lease = Lease(self._world.new_id())
        (granted,) = self._rules.grant_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=lease.lease_id,
            owner=self.owner,
            mode="micro" if micro else "bulk",
            amount_nano=amount_nano,
            now_us=self._world.now_us(),
            alias=alias,
        )
        draft.wallet([granted])
        lent = self.wallet.lent(granted.slices)
        opened = open_lease(
            lease,
            account_id=ACCOUNT,
            owner=self.owner,
            amount_nano=sum_nano(granted.slices),
            valid_ms=10_000,
            now_us=self._world.now_us(),
            slices=lent,
        )
        draft.lease(lease, opened)
        self.leases[lease.lease_id] = lease
        if micro:
            self._micro.add(lease.lease_id)
        return lease

    def _extend(
        self, lease_id: UUID, amount_nano: int, alias: str, *, draft: Draft | None = None
    ) -> tuple[LentSlice, ...]:
        own = draft or Draft(self)
        (extended,) = self._rules.extend_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=lease_id,
            amount_nano=amount_nano,
            now_us=self._world.now_us(),
            alias=alias,
        )
        own.wallet([extended])
        if draft is None:
            self._submit(own)
        return self.wallet.lent(extended.slices)

    def _topped_up(self, lease: Lease, lent: tuple[LentSlice, ...]) -> Sequence[Event]:
        return self._rules.top_up(lease, amount_nano=sum(part.amount_nano for part in lent), slices=lent)

    def _raise(self, lease_id: UUID, lent: tuple[LentSlice, ...]) -> None:
        """The lease's side of a top-up whose wallet side is stored."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.ended:
            return
        draft = Draft(self)
        draft.lease(lease, self._topped_up(lease, lent))
        self._submit(draft, redo=lambda: self._raise(lease_id, lent))

    def _reduce(self, lease_id: UUID, slices: Slices, *, draft: Draft | None = None) -> None:
        """The wallet's side of a return; if the lease was settled meanwhile it is done already."""
        own = draft or Draft(self)
        try:
            reduced = self._rules.reduce_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=lease_id,
                amount_nano=sum_nano(slices),
                now_us=self._world.now_us(),
                slices=slices,
            )
        except LeaseEnded:
            return
        own.wallet(reduced)
        if draft is None:
            self._submit(own, redo=lambda: self._reduce(lease_id, slices))

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
                spent=lease.spent(),
            )
        except AmountOutOfRange as refusal:
            raise Violation("P03", "more was charged than lent") from refusal
