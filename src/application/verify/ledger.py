"""The ledger folded again, event by event, with the rules that the deciders use, and checked after each."""

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

import msgspec

from application.verify import claims, lots
from application.verify.report import Findings
from domain.event import Event
from domain.ids import stream_of
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.claim_events import ClaimEvent
from domain.ledger.events import (
    AdjustmentPosted,
    ChargeHeldForReview,
    CreditLotExpired,
    CreditLotGranted,
    CreditLotVoided,
    LeaseClosed,
    LeaseEvent,
    LeaseExtended,
    LeaseFenced,
    LeaseGaveBack,
    LeaseGranted,
    LeaseOpened,
    LeaseOutcome,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    LeaseShareRaised,
    LeaseShareReturned,
    LeaseToppedUp,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
    WalletEvent,
)
from domain.ledger.lease import Lease
from domain.ledger.lots import Slice, sum_nano
from domain.ledger.wallet import OpenLease, Wallet


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A decoded event and its place in the log."""

    position: int
    stream_id: UUID
    version: int
    event: Event


class Ending(msgspec.Struct, frozen=True):
    """How one side says that a lease ended."""

    outcome: LeaseOutcome
    last_version: int
    charged_nano: int
    charges: int


def _gone(event: LeaseReduced | LeaseSettled) -> tuple[Slice, ...]:
    """What did not come back of what was left."""
    return (*(event.expired or ()), *lots.plain(event.voided or ()))


class LedgerFold:
    """Wallets and leases as of the last event. Settled leases are forgotten; accounts stay."""

    def __init__(self, findings: Findings) -> None:
        self.wallets: dict[UUID, Wallet] = {}
        self.leases: dict[UUID, Lease] = {}
        self.charged_nano: dict[UUID, int] = {}  #: by account, in open leases too
        self.shortfall_nano = 0
        self._findings = findings
        self._closed: dict[UUID, Ending] = {}
        self._settled: dict[UUID, Ending] = {}

    def take_wallet(self, at: Stored, event: WalletEvent) -> None:
        """Fold an event of a wallet."""
        if at.stream_id != stream_of(event.account_id, "wallet"):
            self._find("L03", at, f"not the wallet of {event.account_id}")
        wallet = self.wallets.setdefault(event.account_id, Wallet())
        if self._fits_wallet(at, wallet, event):
            wallet_rules.evolve(wallet, event)
            self._after_wallet(at, wallet, event)

    def take_lease(self, at: Stored, event: LeaseEvent) -> None:
        """Fold an event of a lease."""
        lease = self.leases.get(at.stream_id)
        if lease is None:
            lease = self.leases[at.stream_id] = Lease(at.stream_id)
        if self._fits_lease(at, lease, event) and self._fits_parts(at, lease, event):
            lease_rules.evolve(lease, event)
            lease.version = at.version
            self._after_lease(at, lease, event)

    def finish(self) -> None:
        """Say what only the end of the log shows."""
        for lease_id in self._closed.keys() - self._settled.keys():
            self._findings.add("P05", position=0, subject=lease_id, detail="ended, but was never settled")
        for lease_id in self._settled.keys() - self._closed.keys():
            self._findings.add("P05", position=0, subject=lease_id, detail="settled, but never ended")

    # --- before an event is folded: what would make the fold meaningless

    def _fits_wallet(self, at: Stored, wallet: Wallet, event: WalletEvent) -> bool:
        match event:
            case CreditLotGranted() | CreditLotExpired() | AdjustmentPosted() | CreditLotVoided():
                return self._fits_lot(at, wallet, event)
            case LeaseGranted():
                is_new = event.lease_id not in wallet.leases and event.lease_id not in self._settled
                return self._check(is_new, "P05", at, "lease granted twice") and self._fits_lots(
                    at, wallet, event
                )
            case LeaseExtended() | LeaseReduced() | LeaseSettled():
                lent = wallet.leases.get(event.lease_id)
                if lent is None:
                    return self._check(False, "P05", at, f"lease {event.lease_id} is not lent")  # noqa: FBT003
                if isinstance(event, LeaseSettled):
                    self._accounted(at, lent, event)
                return self._fits_lots(at, wallet, event)
            case LeaseRecallRequested():
                return True
            case _:
                return self._fits_claim(at, wallet, event)

    def _fits_claim(self, at: Stored, wallet: Wallet, event: ClaimEvent) -> bool:
        known = claims.can_be_folded(wallet, event)
        if self._check(known, "P32", at, "a lot or a claim that the wallet does not know"):
            self._tell(at, claims.claim_faults(wallet, event))
        return known

    def _fits_lot(
        self,
        at: Stored,
        wallet: Wallet,
        event: CreditLotGranted | CreditLotExpired | AdjustmentPosted | CreditLotVoided,
    ) -> bool:
        match event:
            case CreditLotGranted():
                self._check(event.amount_nano > 0, "L04", at, f"amount {event.amount_nano}")
                return self._check(event.lot_id not in wallet.lots, "P04", at, "lot granted twice")
            case CreditLotExpired():
                return self._expires(at, wallet, event)
            case AdjustmentPosted():
                return self._adjusts(at, wallet, event)
            case CreditLotVoided():
                return self._voids(at, wallet, event)
            case _:
                assert_never(event)

    def _fits_lots(
        self, at: Stored, wallet: Wallet, event: LeaseGranted | LeaseExtended | LeaseReduced | LeaseSettled
    ) -> bool:
        slices, gone, amount_nano = event.slices, tuple[Slice, ...](), 0
        match event:
            case LeaseSettled():
                gone, amount_nano = _gone(event), event.returned_nano
            case LeaseReduced():
                slices, amount_nano = (*event.slices, *_gone(event)), event.amount_nano
            case _:
                amount_nano = event.amount_nano
        self._check(min((part.amount_nano for part in slices), default=0) >= 0, "L04", at, "negative slice")
        self._check(sum_nano(slices) == amount_nano, "P01", at, "slices do not add up to the amount")
        if not self._check(
            all(part.lot_id in wallet.lots for part in (*slices, *gone)),
            "P02",
            at,
            "credit of an unknown lot",
        ):
            return False
        if isinstance(event, LeaseGranted | LeaseExtended):
            self._tell(at, lots.lending_faults(wallet, event))
            self._tell(at, claims.lending_faults(wallet, event))
        else:
            self._tell(at, lots.returning_faults(wallet, event))
        return True

    def _expires(self, at: Stored, wallet: Wallet, event: CreditLotExpired) -> bool:
        if not self._check(event.lot_id in wallet.limited, "P15", at, "a lot that cannot expire, or has"):
            return False
        is_time = wallet.terms[event.lot_id].has_expired(event.occurred_us)
        return self._check(is_time, "P15", at, "a lot expired before its time")

    def _adjusts(self, at: Stored, wallet: Wallet, event: AdjustmentPosted) -> bool:
        added, taken = event.added or (), event.taken or ()
        parts = added if event.direction == "credit" else taken
        fits = sum_nano(parts) == event.amount_nano > 0 and not (added and taken)
        self._check(fits, "P01", at, "slices do not add up to the amount")
        self._check(min((part.amount_nano for part in parts), default=0) >= 0, "L04", at, "negative slice")
        if not self._check(
            not any(part.lot_id in wallet.lots for part in added), "P04", at, "lot granted twice"
        ):
            return False
        known = all(part.lot_id in wallet.lots for part in taken)
        if not self._check(known, "P02", at, "credit of an unknown lot"):
            return False
        fits = all(part.amount_nano <= wallet.lots[part.lot_id] for part in taken)
        self._check(fits, "P02", at, "more was taken of a lot than it has")
        return True

    def _voids(self, at: Stored, wallet: Wallet, event: CreditLotVoided) -> bool:
        if not self._check(event.lot_id in wallet.lots, "P02", at, "an unknown lot was taken back"):
            return False
        is_new = event.lot_id not in wallet.over
        self._check(is_new, "P15", at, "a lot that is over was taken back")
        is_all = event.amount_nano == wallet.lots[event.lot_id]
        self._check(is_all, "P04", at, f"{event.amount_nano} of {wallet.lots[event.lot_id]} was taken back")
        is_its = event.source == wallet.terms[event.lot_id].source
        self._check(is_its, "P30", at, "a lot went back to where it did not come from")
        return is_new

    def _accounted(self, at: Stored, lent: OpenLease, event: LeaseSettled) -> None:
        accounted_nano = event.charged_nano + event.returned_nano + sum_nano(_gone(event))
        detail = f"lent {lent.amount_nano}, charged, returned, expired and voided {accounted_nano}"
        self._check(accounted_nano == lent.amount_nano, "P05", at, detail)
        self._tell(at, lots.settlement_faults(lent, self.leases.get(event.lease_id), event))

    def _fits_lease(self, at: Stored, lease: Lease, event: LeaseEvent) -> bool:
        match event:
            case LeaseOpened():
                return self._check(at.version == 1 and lease.ended, "P06", at, "lease opened twice")
            case RequestAdmitted():
                self._check(event.hold_nano >= 0, "L04", at, f"hold {event.hold_nano}")
                is_new = event.request_id not in lease.holds
                return self._is_open(at, lease) and self._check(is_new, "P07", at, "admitted twice")
            case UsageCharged() | RequestReleased() | RequestAbandoned():
                return self._is_open(at, lease) and self._ends_its_hold(at, lease, event)
            case LeaseToppedUp() | LeaseGaveBack() | LeaseClosed() | LeaseFenced() | ChargeHeldForReview():
                return self._is_open(at, lease)
            case LeaseShareRaised() | LeaseShareReturned():
                return self._is_open(at, lease)
            case _:
                assert_never(event)

    def _fits_parts(self, at: Stored, lease: Lease, event: LeaseEvent) -> bool:
        if not self._check(lots.knows_lots(lease, event), "P02", at, "lots that the lease does not have"):
            return False
        account_id = event.account_id if isinstance(event, LeaseOpened) else lease.account_id
        wallet = self.wallets.get(account_id) if account_id else None
        self._tell(at, lots.lease_faults(lease, event, wallet.terms if wallet else {}))
        return True

    def _is_open(self, at: Stored, lease: Lease) -> bool:
        return self._check(not lease.ended, "P06", at, "the lease is not open")

    def _ends_its_hold(
        self, at: Stored, lease: Lease, event: UsageCharged | RequestReleased | RequestAbandoned
    ) -> bool:
        hold_nano = lease.holds.get(event.request_id)
        if not self._check(hold_nano is not None, "P28", at, f"request {event.request_id} holds nothing"):
            return False
        self._check(hold_nano == event.hold_nano, "P28", at, f"request {event.request_id} held {hold_nano}")
        return True

    # --- after an event is folded

    def _after_wallet(self, at: Stored, wallet: Wallet, event: WalletEvent) -> None:
        self._check(wallet.available_nano >= 0, "P02", at, f"available {wallet.available_nano}")
        match event:
            case LeaseReduced() | LeaseExtended():
                self._compare_sizes(at, wallet, event.lease_id)
            case LeaseSettled():
                self._settled[event.lease_id] = Ending(
                    event.outcome, event.last_version, event.charged_nano, event.charges
                )
                lease = self.leases.get(event.lease_id)
                charged_nano = lease.charged_nano if lease else 0
                self._check(
                    event.charged_nano == charged_nano,
                    "P05",
                    at,
                    f"lease {event.lease_id} charged {charged_nano}, settled with {event.charged_nano}",
                )
                self._join(at, event.lease_id)
            case _:
                pass

    def _after_lease(self, at: Stored, lease: Lease, event: LeaseEvent) -> None:
        self._check(lease.free_nano >= 0, "P03", at, f"{-lease.free_nano} more than the lease has")
        match event:
            case LeaseOpened() | LeaseToppedUp() | LeaseGaveBack():
                self._opened_or_sized(at, lease)
            case UsageCharged():
                self._charged(at, lease, event)
            case RequestAdmitted() | RequestReleased() | RequestAbandoned() | ChargeHeldForReview():
                self._check(event.account_id == lease.account_id, "L03", at, "of another account")
            case LeaseClosed() | LeaseFenced():
                self._check(not lease.holds, "P28", at, f"ended with {len(lease.holds)} open holds")
                outcome: LeaseOutcome = "closed" if isinstance(event, LeaseClosed) else "fenced"
                self._closed[at.stream_id] = Ending(outcome, at.version, event.charged_nano, event.charges)
                sums = (lease.charged_nano, lease.charges)
                self._check(
                    (event.charged_nano, event.charges) == sums, "P05", at, f"the lease charged {sums}"
                )
                self._join(at, at.stream_id)

    def _charged(self, at: Stored, lease: Lease, event: UsageCharged) -> None:
        self._check(event.account_id == lease.account_id, "L03", at, "of another account")
        fits = 0 <= event.charge_nano <= event.hold_nano and event.shortfall_nano >= 0
        self._check(fits, "L04", at, f"charge {event.charge_nano}, hold {event.hold_nano}")
        charged_nano = self.charged_nano.get(event.account_id, 0) + event.charge_nano
        self.charged_nano[event.account_id] = charged_nano
        self.shortfall_nano += event.shortfall_nano
        wallet = self.wallets.get(event.account_id)
        granted_nano = wallet.granted_nano - wallet.withdrawn_nano if wallet else 0
        self._check(charged_nano <= granted_nano, "P04", at, f"charged {charged_nano} of {granted_nano}")

    def _opened_or_sized(self, at: Stored, lease: Lease) -> None:
        wallet = self.wallets.get(lease.account_id) if lease.account_id else None
        lent = wallet.leases.get(at.stream_id) if wallet else None
        if wallet is None or lent is None:
            self._find("L01", at, "the wallet does not know the lease")
            return
        self._check(lent.owner == lease.owner, "L01", at, "lent to another owner")
        self._compare_sizes(at, wallet, at.stream_id)

    def _compare_sizes(self, at: Stored, wallet: Wallet, lease_id: UUID) -> None:
        lease = self.leases.get(lease_id)
        lent_nano = wallet.leases[lease_id].amount_nano
        if lease is not None:
            fits = lease.amount_nano <= lent_nano
            self._check(fits, "L01", at, f"lease {lease_id} has {lease.amount_nano}, lent {lent_nano}")

    def _join(self, at: Stored, lease_id: UUID) -> None:
        """Compare both sides of a lease's end once both are there, and forget the lease."""
        closed, settled = self._closed.get(lease_id), self._settled.get(lease_id)
        if closed is None or settled is None:
            return
        self._check(closed == settled, "P05", at, f"lease ended as {closed}, was settled as {settled}")
        del self._closed[lease_id], self._settled[lease_id]
        self.leases.pop(lease_id, None)

    def _check(self, holds: bool, code: str, at: Stored, detail: str) -> bool:  # noqa: FBT001  # reads as a sentence
        if not holds:
            self._find(code, at, detail)
        return holds

    def _tell(self, at: Stored, faults: Iterable[lots.Fault]) -> None:
        for code, detail in faults:
            self._find(code, at, detail)

    def _find(self, code: str, at: Stored, detail: str) -> None:
        self._findings.add(code, position=at.position, subject=at.stream_id, detail=detail)
