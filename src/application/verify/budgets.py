"""P31: what leases charge to hard budgets is of shares that the budgets lent them, and no window was lent more than it has."""

from collections import defaultdict
from uuid import UUID

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.budgets.events import (
    BudgetSet,
    BudgetShareGranted,
    BudgetShareReturned,
    BudgetShareSettled,
    ShareEvent,
)
from domain.budgets.window import BudgetWindow
from domain.ledger.events import (
    LeaseShareRaised,
    LeaseShareReturned,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.shares import BudgetBucket

_Of = tuple[UUID, BudgetBucket]  #: a lease and a bucket


class BudgetCheck:
    """Keeps books of its own. What is named in them is open, or belongs to a lease whose share is not settled."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._windows: dict[UUID, tuple[BudgetWindow, bool]] = {}  #: and whether it is hard
        self._used: dict[UUID, dict[int, int]] = defaultdict(dict)  #: lent or spent, by budget and bucket
        self._lent: dict[_Of, int] = defaultdict(int)
        self._has: dict[_Of, int] = defaultdict(int)  #: what a lease counts on
        self._free: dict[_Of, int] = defaultdict(int)  #: of that, what it neither charged nor holds
        self._charged: dict[_Of, int] = defaultdict(int)
        self._open: dict[UUID, RequestAdmitted] = {}

    def take(self, at: Stored) -> None:
        event = at.event
        match event:
            case RequestAdmitted() if event.budgets:
                self._open[event.request_id] = event
                self._hold(at, event, -event.hold_nano, 0)
            case UsageCharged() | RequestReleased() | RequestAbandoned():
                admitted = self._open.pop(event.request_id, None)
                if admitted is not None:
                    charge_nano = event.charge_nano if isinstance(event, UsageCharged) else 0
                    self._hold(at, admitted, admitted.hold_nano - charge_nano, charge_nano)
            case LeaseShareRaised():
                self._resize(at, (at.stream_id, event.bucket), event.amount_nano)
            case LeaseShareReturned():
                self._resize(at, (at.stream_id, event.bucket), -event.amount_nano)
            case BudgetShareGranted() | BudgetShareReturned() | BudgetShareSettled():
                self._take_share(at, event)
            case BudgetSet():
                self._windows[event.budget_id] = (event.window, event.enforcement == "hard")
            case _:
                pass

    def _hold(self, at: Stored, admitted: RequestAdmitted, change_nano: int, charge_nano: int) -> None:
        for bucket in admitted.budgets or ():
            if self._windows.get(bucket.budget_id, (None, False))[1]:
                self._charged[at.stream_id, bucket] += charge_nano
                self._move(at, (at.stream_id, bucket), change_nano)

    def _resize(self, at: Stored, of: _Of, change_nano: int) -> None:
        self._has[of] += change_nano
        self._move(at, of, change_nano)
        self._compare(at, of)

    def _move(self, at: Stored, of: _Of, change_nano: int) -> None:
        self._free[of] += change_nano
        if self._free[of] < 0:
            self._find(at, f"{-self._free[of]} more than the lease's share of budget {of[1].budget_id}")

    def _compare(self, at: Stored, of: _Of) -> None:
        """A lease counts on no more than was lent to it."""
        has_nano, lent_nano = self._has[of], self._lent[of]
        if has_nano > lent_nano:
            self._find(at, f"counts on {has_nano} of budget {of[1].budget_id}, was lent {lent_nano}")

    def _take_share(self, at: Stored, event: ShareEvent) -> None:
        of = event.lease_id, BudgetBucket(event.budget_id, event.bucket_us)
        if isinstance(event, BudgetShareGranted):
            self._lend(of, event.amount_nano)
            self._check_windows(at, event)
        elif isinstance(event, BudgetShareReturned):
            self._lend(of, -event.amount_nano)
            self._compare(at, of)
        else:
            charged_nano, lent_nano = self._charged.pop(of, 0), self._lent.pop(of, 0)
            self._has.pop(of, None)
            self._free.pop(of, None)
            self._use(of[1], -event.returned_nano)
            if (event.charged_nano, event.charged_nano + event.returned_nano) != (charged_nano, lent_nano):
                detail = f"lease {event.lease_id} charged {charged_nano} of {lent_nano} to budget {event.budget_id}"
                self._find(at, detail)

    def _lend(self, of: _Of, amount_nano: int) -> None:
        self._lent[of] += amount_nano
        self._use(of[1], amount_nano)

    def _use(self, bucket: BudgetBucket, amount_nano: int) -> None:
        used = self._used[bucket.budget_id]
        used[bucket.start_us] = used.get(bucket.start_us, 0) + amount_nano

    def _check_windows(self, at: Stored, event: BudgetShareGranted) -> None:
        window, _ = self._windows.get(event.budget_id, (None, False))
        if window is None:
            self._find(at, f"budget {event.budget_id} is not set")
            return
        used = self._used[event.budget_id]
        for end_us in [one for one in used if 0 <= one - event.bucket_us <= window.reach_us]:
            used_nano = sum(nano for one, nano in used.items() if 0 <= end_us - one <= window.reach_us)
            if used_nano > event.budget_nano:
                self._find(
                    at, f"{used_nano} of budget {event.budget_id} are lent, it has {event.budget_nano}"
                )

    def _find(self, at: Stored, detail: str) -> None:
        self._findings.add("P31", position=at.position, subject=at.stream_id, detail=detail)
