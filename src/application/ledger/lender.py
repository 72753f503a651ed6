"""Moves credit between an account's wallet and this process's leases: open, extend, give back, close."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from application.clock import Clock, Ids
from application.eventlog import EventLogError, EventStore, Journal, NewEvent
from application.ledger.live_lease import LiveLease
from application.ledger.ports import Presence
from application.ledger.recall import RecallMessages
from application.ledger.sizing import Size
from application.ledger.wallet_access import WalletAccess
from domain.ledger import lease as lease_rules
from domain.ledger import leasing, lending
from domain.ledger.events import LeaseEvent, LeaseExtended, Owner, WalletEvent
from domain.ledger.lease import Lease
from domain.ledger.lots import Slice, sum_nano
from domain.ledger.refusals import LeaseEnded
from domain.ledger.slices import by_lot
from domain.ledger.wallet import Wallet


class LedgerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in seconds; the fields of `Settings` with the same names explain them."""

    lease_valid_s: float = 10.0
    lease_charges_max: int = 20_000
    lease_age_s_max: float = 600.0
    recall_wait_s: float = 1.0
    """The longest wait for answers; a request is refused earlier, as soon as every owner has answered."""
    hold_wait_s: float = 5.0
    """A request whose account cannot borrow within this time is refused: the log is silent, and clients wait."""


class LiveGateways(msgspec.Struct):
    """How many gateway processes live, as last looked up."""

    count: int = 1


class LedgerTools(msgspec.Struct, frozen=True, kw_only=True):
    """What every account of a process shares."""

    owner: Owner
    store: EventStore
    journal: Journal
    presence: Presence
    messages: RecallMessages
    clock: Clock
    ids: Ids
    limits: LedgerLimits
    gateways: LiveGateways


class Lender:
    """Both sides of every movement, in the order that never lets a lease spend what the wallet has not lent.

    Every method raises `JournalFull` or `LogUnavailable` when nothing could be stored, and `VersionConflict`
    when the lease's stream has another writer: then the lease is lost.
    """

    def __init__(self, account_id: UUID, tools: LedgerTools) -> None:
        self.account_id = account_id
        self.access = WalletAccess(account_id, store=tools.store, journal=tools.journal)
        self._tools = tools

    async def open(self, size: Callable[[Wallet], Size], *, alias: str) -> LiveLease:
        """Lend to a new lease, for requests of this model first of all.

        Raises:
            InsufficientCredit: the wallet no longer has it for this model.
        """
        tools = self._tools
        live = LiveLease(Lease(tools.ids.new()), tools.journal, now_s=tools.clock.monotonic_s())
        opened: list[LeaseEvent] = []

        def decide(wallet: Wallet) -> Sequence[WalletEvent]:
            wanted = size(wallet)
            now_us = tools.clock.now_us()
            (granted,) = lending.grant_lease(
                wallet,
                account_id=self.account_id,
                lease_id=live.lease.lease_id,
                owner=tools.owner,
                mode=wanted.mode,
                amount_nano=wanted.amount_nano,
                now_us=now_us,
                alias=alias,
            )
            opened[:] = leasing.open_lease(
                live.lease,
                account_id=self.account_id,
                owner=tools.owner,
                amount_nano=granted.amount_nano,
                valid_ms=int(tools.limits.lease_valid_s * 1000),
                now_us=now_us,
                slices=wallet.lent(granted.slices),
            )
            return [granted]

        await self.access.change(decide, lambda: live.plan(opened))
        lease_rules.evolve(live.lease, opened[0])
        return live

    async def extend(self, live: LiveLease, size: Callable[[Wallet], Size], *, alias: str) -> None:
        """Lend more to a live lease: the wallet first, then the lease.

        Raises:
            InsufficientCredit: the wallet no longer has it for this model.
            LeaseEnded: the lease was settled by the reaper; it is lost.
        """
        extended: list[LeaseExtended] = []

        def decide(wallet: Wallet) -> Sequence[WalletEvent]:
            _require_kept(live)
            wanted = size(wallet)
            extended[:] = lending.extend_lease(
                wallet,
                account_id=self.account_id,
                lease_id=live.lease.lease_id,
                amount_nano=wanted.amount_nano,
                now_us=self._tools.clock.now_us(),
                alias=alias,
                mode=wanted.mode,
            )
            return extended

        await self.access.change(decide)
        _require_kept(live)
        slices = extended[0].slices
        lent = self.access.wallet.lent(slices)
        try:
            live.record(leasing.top_up(live.lease, amount_nano=sum_nano(slices), slices=lent))
        except EventLogError:
            live.owed.extend(slices)
            raise

    async def give_back(self, live: LiveLease) -> None:
        """Return everything that no request holds, and what is owed: the lease first, then the wallet.

        When the second fails, the credit is in neither: `live.owed` has it, for the next call or the settlement.

        Raises:
            LeaseEnded: the lease was settled by the reaper; it is lost.
        """
        if live.lost:
            return
        amount_nano = live.lease.free_nano
        if amount_nano > 0:
            (gave_back,) = leasing.give_back(live.lease, amount_nano=amount_nano)
            # Now, and not once it is stored: by then the lease may have credit of another lot as well.
            slices = gave_back.slices or live.lease.of_its_lot(amount_nano)
            await live.record([gave_back])
            live.owed.extend(slices)
        count = len(live.owed)
        owed = tuple(Slice(lot_id, owed_nano) for lot_id, owed_nano in by_lot(live.owed).items())
        if not owed:
            return

        def decide(wallet: Wallet) -> Sequence[WalletEvent]:
            _require_kept(live)
            return lending.reduce_lease(
                wallet,
                account_id=self.account_id,
                lease_id=live.lease.lease_id,
                amount_nano=sum_nano(owed),
                now_us=self._tools.clock.now_us(),
                slices=owed,
            )

        await self.access.change(decide)
        del live.owed[:count]

    async def close(self, live: LiveLease) -> None:
        """End a lease without holds and settle it, in one append.

        Raises:
            LeaseBusy: requests still hold credit in it.
            LeaseEnded: it was settled already.
        """
        closing: list[LeaseEvent] = []

        def decide(wallet: Wallet) -> Sequence[WalletEvent]:
            _require_kept(live)
            now_us = self._tools.clock.now_us()
            closing[:] = leasing.close(live.lease, now_us=now_us)
            return lending.settle_lease(
                wallet,
                account_id=self.account_id,
                lease_id=live.lease.lease_id,
                outcome="closed",
                charged_nano=live.lease.charged_nano,
                charges=live.lease.charges,
                last_version=live.lease.version + 1,
                now_us=now_us,
                spent=live.lease.spent(),
            )

        def beside() -> Sequence[NewEvent]:
            return live.plan(closing)

        await self.access.change(decide, beside)
        lease_rules.evolve(live.lease, closing[0])


def _require_kept(live: LiveLease) -> None:
    """What was lost meanwhile may rest on events that the log does not have: it is fenced as the log has it.

    Raises:
        LeaseEnded: it was lost.
    """
    if live.lost:
        raise LeaseEnded(live.lease.lease_id)
