"""The properties that every prefix of the log has. Names are those of the list of invariants (P01, P02, ...).

`Auditor` keeps its own books from the bare events and calls none of the product's folds but the posting rules.
`Follower` folds with the product, as a read model would: by position, each event once.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ledger import claim_events as claiming
from domain.ledger import events as facts
from domain.ledger.lease import Lease
from domain.ledger.lots import Slice
from domain.ledger.postings import PostingRules, TrialBalance, load_rules, postings
from domain.ledger.snapshot import decode_snapshot, mark_of
from domain.ledger.wallet import Wallet
from tests.model.charge_audit import ChargeAudit
from tests.model.lots import Shares, Terms, goodwill, terms_of
from tests.model.promise_audit import CodeAudit, LowBalanceAudit
from tests.model.store import Log, Stored
from tests.model.world import ACCOUNT, WALLET, Request, World, fold_lease, fold_wallet, require

RULES: PostingRules = load_rules()


class LeaseBook(msgspec.Struct):
    """What the auditor knows of one lease."""

    shares: Shares
    lent_nano: int = 0  #: by the wallet, less what it took back
    amount_nano: int = 0  #: as the lease's own stream has it
    charged_nano: int = 0
    charges: int = 0
    held_nano: int = 0
    returned_nano: int = 0
    opened: bool = False
    ended_version: int = 0
    settled: bool = False
    by_lot: dict[UUID, int] = {}  #: lent and not taken back, as the wallet has it


class ClaimBook(msgspec.Struct):
    """What the auditor knows of one open refund or dispute."""

    lot_id: UUID
    wanted_nano: int
    frozen_nano: int = 0


class Auditor:
    """Reads each event of the log once, in the order of positions, and checks it against all before it."""

    def __init__(self) -> None:
        self.balances = TrialBalance(RULES)
        self.position = 0
        self.read = 0
        self.granted_nano = 0
        self.charged_nano = 0
        self.shortfall_nano = 0
        self.expired_nano = 0
        self.taken_nano = 0
        self.lots: dict[UUID, int] = {}
        self.terms: dict[UUID, Terms] = {}
        self.over: set[UUID] = set()
        self.sources: dict[UUID, str] = {}
        self.voided: set[UUID] = set()
        self.claims: dict[UUID, ClaimBook] = {}
        self.owed_nano = 0
        self.written_off_nano = 0
        self.gone: dict[UUID, int] = {}  #: by lot: what left it unspent once it was over
        self.at_us = 0
        self.leases: dict[UUID, LeaseBook] = {}
        self.versions: dict[UUID, int] = {}
        self.holds: dict[UUID, tuple[UUID, int]] = {}  #: request -> lease, amount
        self.admitted: set[UUID] = set()
        self.charges: dict[UUID, facts.UsageCharged] = {}
        self.last_charges: dict[UUID, tuple[facts.UsageCharged, int]] = {}  #: by lease, with its version
        self.decisions = ChargeAudit()
        self.codes = CodeAudit()
        self.low_balances = LowBalanceAudit(self._balance_nano)
        self._checks: dict[type[Event], Callable[[Stored, Any], None]] = {
            facts.CreditLotGranted: self._lot_granted,
            facts.CreditLotExpired: self._lot_expired,
            facts.AdjustmentPosted: self._adjusted,
            facts.CreditLotVoided: self._lot_voided,
            claiming.CreditFrozen: self._frozen,
            claiming.CreditUnfrozen: self._unfrozen,
            claiming.FrozenCreditTaken: self._frozen_taken,
            claiming.TakenCreditRestored: self._restored,
            claiming.ReceivableSettled: self._debt_paid,
            claiming.ReceivableWrittenOff: self._debt_given_up,
            facts.LeaseGranted: self._lease_granted,
            facts.LeaseExtended: self._lease_extended,
            facts.LeaseReduced: self._lease_reduced,
            facts.LeaseSettled: self._lease_settled,
            facts.LeaseOpened: self._lease_opened,
            facts.LeaseToppedUp: self._lease_topped_up,
            facts.LeaseGaveBack: self._lease_gave_back,
            facts.RequestAdmitted: self._request_admitted,
            facts.UsageCharged: self._usage_charged,
            facts.ChargeHeldForReview: self._held_for_review,
            facts.RequestReleased: self._hold_ended,
            facts.RequestAbandoned: self._hold_ended,
            facts.LeaseClosed: self._lease_ended,
            facts.LeaseFenced: self._lease_ended,
        }

    def read_on(self, log: Log) -> None:
        new = log.read_log(after_position=self.position)
        for index, stored in enumerate(new):
            self._read(stored)
            if index + 1 == len(new) or new[index + 1].group != stored.group:
                self._group_ends(stored)

    def _read(self, stored: Stored) -> None:
        require("P08", stored.position > self.position, "positions strictly increase")
        require("P08", stored.version == self.versions.get(stored.stream_id, 0) + 1, "versions have no gap")
        self.position = stored.position
        self.versions[stored.stream_id] = stored.version
        self.at_us = max(self.at_us, getattr(stored.event, "occurred_us", 0))
        self.read += 1
        book = self.leases.get(stored.stream_id)
        require("P06", book is None or not book.ended_version, "nothing follows the end of a lease")
        check = self._checks.get(type(stored.event))
        if check is not None:
            check(stored, stored.event)
        for audit in (self.decisions, self.codes, self.low_balances):
            audit.read(stored)
        self._post(stored)

    def _post(self, stored: Stored) -> None:
        """P01 and P02: both sides of every movement, and no floored account below its floor at any event."""
        touched = []
        for posting in postings(RULES, stored.event, stream_id=stored.stream_id):
            require("P01", posting.amount_nano > 0, posting)
            self.balances.post(posting)
            touched += [posting.debit, posting.credit]
        below = self.balances.below_floor(*touched) if touched else []
        require("P02", not below, below)

    def _group_ends(self, stored: Stored) -> None:
        """What one append must leave in order."""
        if stored.stream_id == WALLET:
            self._check_debt()
        self.decisions.group_ends()
        self.codes.group_ends()
        lease_id = getattr(stored.event, "lease_id", stored.stream_id)
        book = self.leases.get(lease_id)
        if book is not None:
            require("P05", book.opened, "a lease is granted and opened in one append")
            require("P05", bool(book.ended_version) == book.settled, "a lease ends and is settled in one")
            left = book.settled and lease_id in {holder for holder, _ in self.holds.values()}
            require("P05", not left, "no hold is left open in a lease that has ended")

    # --- the wallet's stream

    def _lot_granted(self, _: Stored, event: facts.CreditLotGranted) -> None:
        require("P07", event.lot_id not in self.lots, "a lot is granted once")
        require("P04", event.amount_nano > 0, event)
        self.lots[event.lot_id] = event.amount_nano
        self.terms[event.lot_id] = terms_of(event)
        self.sources[event.lot_id] = event.source
        self.granted_nano += event.amount_nano

    def _lot_expired(self, _: Stored, event: facts.CreditLotExpired) -> None:
        is_time = event.occurred_us >= self.terms[event.lot_id].ends_us
        require("P15", is_time and event.lot_id not in self.over, "a lot expires once, in its time")
        self.lots[event.lot_id] -= event.amount_nano
        require("P02", self.lots[event.lot_id] == 0, "all that the wallet has of an expired lot is gone")
        self.over.add(event.lot_id)
        self._count_gone(event.lot_id, event.amount_nano)
        self.expired_nano += event.amount_nano

    def _adjusted(self, _: Stored, event: facts.AdjustmentPosted) -> None:
        """A credit is a new lot; a debit is of the first lots, and of no more than they have."""
        is_credit = event.direction == "credit"
        parts = (event.added if is_credit else event.taken) or ()
        require("P01", not (event.taken if is_credit else event.added), "in one direction")
        self._check_slices(parts, event.amount_nano)
        for part in parts:
            if is_credit:
                require("P07", part.lot_id not in self.lots, "a lot is granted once")
                self.lots[part.lot_id] = part.amount_nano
                self.terms[part.lot_id] = goodwill(event, part.lot_id)
                self.sources[part.lot_id] = "goodwill"
                self.granted_nano += part.amount_nano
            else:
                self._take(part)
        if not is_credit:
            last = max(self.terms[part.lot_id].order for part in parts)
            for lot_id, free_nano in self.lots.items():
                terms = self.terms[lot_id]
                passed_over = free_nano and terms.order < last and terms.is_open(event.occurred_us)
                require("P14", not passed_over, "no later lot is taken from while an earlier one has credit")

    def _take(self, part: Slice) -> None:
        self.lots[part.lot_id] -= part.amount_nano
        require("P02", self.lots[part.lot_id] >= 0, "no more is taken of a lot than it has")
        self.taken_nano += part.amount_nano

    def _lot_voided(self, _: Stored, event: facts.CreditLotVoided) -> None:
        require("P15", event.lot_id not in self.over, "a lot is taken back once, before its end")
        require("P30", event.source == self.sources[event.lot_id], "a lot goes back where it came from")
        self._take(Slice(event.lot_id, event.amount_nano))
        require("P02", self.lots[event.lot_id] == 0, "all that the wallet has of a lot is taken back")
        self.over.add(event.lot_id)
        self.voided.add(event.lot_id)
        self._count_gone(event.lot_id, event.amount_nano)

    # --- payments that go back

    def _frozen(self, _: Stored, event: claiming.CreditFrozen) -> None:
        """P32: a claim sets no more aside than it wants, of its lot, which has it."""
        book = self.claims.setdefault(event.claim_id, ClaimBook(event.lot_id, event.wanted_nano))
        require("P32", book.lot_id == event.lot_id, "a claim is on one lot")
        book.frozen_nano += event.amount_nano
        require("P32", book.frozen_nano <= event.wanted_nano, "no more is frozen than is wanted")
        self.lots[event.lot_id] -= event.amount_nano
        require("P02", self.lots[event.lot_id] >= 0, "no more is frozen of a lot than it has")

    def _unfrozen(self, _: Stored, event: claiming.CreditUnfrozen) -> None:
        require("P32", event.claim_id in self.claims, "only a claim can let go")
        book = self.claims[event.claim_id]
        expired_nano, voided_nano = event.expired_nano or 0, event.voided_nano or 0
        book.frozen_nano -= event.amount_nano + expired_nano + voided_nano
        fits = book.frozen_nano == 0 if event.ends else book.frozen_nano >= 0
        require("P32", fits, "a claim lets go of what it has")
        if event.ends:
            is_over = event.lot_id in self.over or event.occurred_us >= self.terms[event.lot_id].ends_us
            require("P15", not (event.amount_nano if is_over else expired_nano + voided_nano), "in its time")
            del self.claims[event.claim_id]
        require("P15", not voided_nano or event.lot_id in self.voided, "taken back with its lot")
        self._count_gone(event.lot_id, expired_nano + voided_nano)
        self.lots[event.lot_id] += event.amount_nano
        self.expired_nano += expired_nano
        self.taken_nano += voided_nano

    def _frozen_taken(self, _: Stored, event: claiming.FrozenCreditTaken) -> None:
        """P32: what is there is taken, what was spent is owed, and what had gone before neither."""
        book = self.claims.pop(event.claim_id, ClaimBook(event.lot_id, event.wanted_nano))
        require("P32", (book.lot_id, book.frozen_nano) == (event.lot_id, event.amount_nano), "what is frozen")
        require("P30", event.source == self.sources[event.lot_id], "a lot goes back where it came from")
        spent_nano = event.wanted_nano - event.amount_nano
        gone_nano = min(self.gone.get(event.lot_id, 0), spent_nano)
        require("P32", event.owed_nano == spent_nano - gone_nano >= 0, "what was spent is owed")
        require("P32", not (event.owed_nano and self.lots[event.lot_id]), "nothing is owed that is there")
        self._count_gone(event.lot_id, -gone_nano)
        self.taken_nano += event.amount_nano
        self.owed_nano += event.owed_nano

    def _restored(self, _: Stored, event: claiming.TakenCreditRestored) -> None:
        require("P15", event.lot_id not in self.over, "nothing is given to a lot that is over")
        require("P30", event.source == self.sources[event.lot_id], "it comes from where it went")
        self.lots[event.lot_id] += event.amount_nano
        self.granted_nano += event.amount_nano

    def _debt_paid(self, _: Stored, event: claiming.ReceivableSettled) -> None:
        self._check_slices(event.slices, event.amount_nano)
        for part in event.slices:
            self._take(part)
        self._owe_less(event.amount_nano)

    def _debt_given_up(self, _: Stored, event: claiming.ReceivableWrittenOff) -> None:
        self._owe_less(event.amount_nano)
        self.written_off_nano += event.amount_nano

    def _owe_less(self, amount_nano: int) -> None:
        self.owed_nano -= amount_nano
        require("P32", self.owed_nano >= 0, "no more is paid than is owed")

    def _count_gone(self, lot_id: UUID, amount_nano: int) -> None:
        self.gone[lot_id] = self.gone.get(lot_id, 0) + amount_nano

    def _check_debt(self) -> None:
        """P32: who owes has nothing that could be spent, and open disputes have what is left of their lots."""
        wished = {book.lot_id for book in self.claims.values() if book.frozen_nano < book.wanted_nano}
        for lot_id, free_nano in self.lots.items():
            is_over = lot_id in self.over or self.terms[lot_id].ends_us <= self.at_us
            wanted = self.owed_nano or lot_id in wished
            require("P32", not (free_nano and wanted) or is_over, "debts and disputes come before spending")

    # --- what is lent

    def _lease_granted(self, _: Stored, event: facts.LeaseGranted) -> None:
        require("P07", event.lease_id not in self.leases, "a lease is granted once")
        book = self.leases[event.lease_id] = LeaseBook(Shares(self.terms))
        self._lend(book, event)

    def _lease_extended(self, _: Stored, event: facts.LeaseExtended) -> None:
        self._lend(self._live(event.lease_id), event)

    def _lend(self, book: LeaseBook, event: facts.LeaseGranted | facts.LeaseExtended) -> None:
        require("P32", not self.owed_nano, "nothing is lent to who owes")
        self._check_slices(event.slices, event.amount_nano)
        at_us = event.occurred_us
        for part in event.slices:
            is_open = self.terms[part.lot_id].is_open(at_us) and part.lot_id not in self.over
            require("P15", is_open, "a lot is lent in its time")
            self.lots[part.lot_id] -= part.amount_nano
            book.by_lot[part.lot_id] = book.by_lot.get(part.lot_id, 0) + part.amount_nano
            require("P02", self.lots[part.lot_id] >= 0, "a lot lends no more than it has")
        book.lent_nano += event.amount_nano
        last = max(self.terms[part.lot_id].order for part in event.slices)
        for lot_id, free_nano in self.lots.items():
            terms = self.terms[lot_id]
            passed_over = free_nano and terms.order < last and terms.is_open(at_us) and not terms.aliases
            require("P14", not passed_over, "no later lot is lent while an earlier one for all has credit")

    def _lease_reduced(self, _: Stored, event: facts.LeaseReduced) -> None:
        book = self._live(event.lease_id)
        self._take_back(book, event, event.amount_nano)
        book.lent_nano -= event.amount_nano
        require("P03", book.amount_nano <= book.lent_nano, "a lease counts on what is lent to it, no more")

    def _lease_settled(self, _: Stored, event: facts.LeaseSettled) -> None:
        book = self._live(event.lease_id)
        self._take_back(book, event, book.lent_nano - event.charged_nano)
        self._check_settled(book, event)

    def _check_settled(self, book: LeaseBook, event: facts.LeaseSettled) -> None:
        book.settled = True
        account = (event.charged_nano, event.charges, event.last_version)
        require("P05", account == (book.charged_nano, book.charges, book.ended_version), event)
        spent = {lot_id: spent_nano for lot_id, spent_nano in book.by_lot.items() if spent_nano}
        require("P05", spent == book.shares.charged(), "what did not come back of a lot was spent of it")

    def _take_back(
        self, book: LeaseBook, event: facts.LeaseReduced | facts.LeaseSettled, amount_nano: int
    ) -> None:
        """P15: of a lot that is over nothing comes back, and of no other anything is lost."""
        expired = event.expired or ()
        voided = tuple(Slice(part.lot_id, part.amount_nano) for part in event.voided or ())
        self._check_slices((*event.slices, *expired, *voided), amount_nano)
        for part in (*event.slices, *expired, *voided):
            book.by_lot[part.lot_id] -= part.amount_nano
            require("P05", book.by_lot[part.lot_id] >= 0, "a lot gets back no more than it lent")
            book.returned_nano += part.amount_nano
            is_over = part.lot_id in self.over or event.occurred_us >= self.terms[part.lot_id].ends_us
            is_gone = part in expired or part in voided
            require("P15", is_over == is_gone, "what comes back too late is gone, and only that")
            is_void = part.lot_id in self.voided
            require("P15", is_void == (part in voided), "what comes back of a lot taken back goes with it")
        for part in event.slices:
            self.lots[part.lot_id] += part.amount_nano
        for part in event.voided or ():
            require("P30", part.source == self.sources[part.lot_id], "a lot goes back where it came from")
        for part in (*expired, *voided):
            self._count_gone(part.lot_id, part.amount_nano)
        self.expired_nano += sum(part.amount_nano for part in expired)
        self.taken_nano += sum(part.amount_nano for part in voided)

    def _check_slices(self, slices: Iterable[Slice], amount_nano: int) -> None:
        amounts = [part.amount_nano for part in slices]
        require("P01", sum(amounts) == amount_nano and all(amount > 0 for amount in amounts), amounts)

    # --- a lease's stream

    def _lease_opened(self, stored: Stored, event: facts.LeaseOpened) -> None:
        book = self._live(stored.stream_id)
        book.opened = True
        self._raise(book, event)

    def _lease_topped_up(self, stored: Stored, event: facts.LeaseToppedUp) -> None:
        self._raise(self._live(stored.stream_id), event)

    def _raise(self, book: LeaseBook, event: facts.LeaseOpened | facts.LeaseToppedUp) -> None:
        book.amount_nano += event.amount_nano
        book.shares.raised(event.slices, event.amount_nano)
        require("P03", book.amount_nano <= book.lent_nano, "a lease counts on what is lent to it, no more")

    def _lease_gave_back(self, stored: Stored, event: facts.LeaseGaveBack) -> None:
        book = self._live(stored.stream_id)
        book.amount_nano -= event.amount_nano
        book.shares.lowered(event)
        self._check_lease(book)

    def _request_admitted(self, stored: Stored, event: facts.RequestAdmitted) -> None:
        require("P07", event.request_id not in self.admitted, "a request is admitted once")
        book = self._live(stored.stream_id)
        self.admitted.add(event.request_id)
        self.holds[event.request_id] = (stored.stream_id, event.hold_nano)
        book.held_nano += event.hold_nano
        book.shares.held(event)
        self._check_lease(book)

    def _usage_charged(self, stored: Stored, event: facts.UsageCharged) -> None:
        require("P07", event.request_id not in self.charges, "a request is charged once")
        self._hold_ended(stored, event)
        require("P26", 0 <= event.charge_nano <= event.hold_nano, "a charge is within its hold")
        require("P26", event.shortfall_nano >= 0, "a shortfall is the operator's loss")
        book = self._live(stored.stream_id)
        book.charged_nano += event.charge_nano
        book.charges += 1
        self.charges[event.request_id] = event
        self.last_charges[stored.stream_id] = (event, stored.version)
        self.charged_nano += event.charge_nano
        self.shortfall_nano += event.shortfall_nano
        self._check_lease(book)
        left_nano = self.granted_nano - self.expired_nano - self.taken_nano
        require("P04", self.charged_nano <= left_nano, "no more is charged than was granted and is not gone")

    def _held_for_review(self, stored: Stored, event: facts.ChargeHeldForReview) -> None:
        charge, version = self.last_charges.get(stored.stream_id, (None, 0))
        require("C02", version == stored.version - 1, "a charge is held right behind it")
        require("C02", charge is not None and "absurd" in charge.usage_flags, "what cannot be is held")
        assert charge is not None
        same = (charge.request_id, charge.charge_nano) == (event.request_id, event.charge_nano)
        require("C02", same, "the charge that is held is the one before")

    def _hold_ended(self, stored: Stored, event: Any) -> None:
        hold = self.holds.pop(event.request_id, None)
        require("P07", hold == (stored.stream_id, event.hold_nano), "a hold ends once, where it was made")
        book = self._live(stored.stream_id)
        book.held_nano -= event.hold_nano
        book.shares.ended(event.request_id, getattr(event, "charge_nano", 0))

    def _lease_ended(self, stored: Stored, event: facts.LeaseClosed | facts.LeaseFenced) -> None:
        book = self._live(stored.stream_id)
        book.ended_version = stored.version
        require("P05", (event.charged_nano, event.charges) == (book.charged_nano, book.charges), event)

    def _check_lease(self, book: LeaseBook) -> None:
        free_nano = book.amount_nano - book.charged_nano - book.held_nano
        require("P03", free_nano >= 0, "a lease holds and charges no more than it has")
        shares_nano = sum(share.free_nano for share in book.shares.by_lot.values())
        require("P03", shares_nano == free_nano, "its lots are all that a lease has")

    def _live(self, lease_id: UUID) -> LeaseBook:
        book = self.leases.get(lease_id)
        require("P05", book is not None and not book.settled, f"{lease_id} is granted and not settled yet")
        assert book is not None
        return book

    # --- the whole

    def check_totals(self) -> None:
        """P30: the accounts add up to the controls, which are kept apart from them."""
        balances = self.balances.balances
        borne_nano = self.shortfall_nano + self.decisions.borne_nano
        require("P30", self.balances.total_nano() == 0, "the trial balance is zero")
        given_up_nano = self.owed_nano + self.written_off_nano
        issued_nano = self.granted_nano - self.taken_nano - given_up_nano
        require("P30", sum(self._of("issued:")) == -issued_nano, "issued")
        require("P30", balances.get(f"receivable:{ACCOUNT}", 0) == -self.owed_nano, "receivable")
        require("P30", balances.get("written_off", 0) == -self.written_off_nano, "written off")
        frozen_nano = sum(book.frozen_nano for book in self.claims.values())
        require("P30", sum(self._of("frozen:")) == frozen_nano, "frozen")
        require("P30", sum(self._of("usage:")) == self.charged_nano + borne_nano, "usage")
        require("P30", balances.get("breakage", 0) == self.expired_nano, "breakage")
        require("P30", balances.get("expense:shortfall", 0) == -borne_nano, "shortfall")
        owned_nano = sum(amount for name in ("wallet:", "leased:", "frozen:") for amount in self._of(name))
        require("P30", owned_nano == self._balance_nano(), "a balance is what the account's books have")
        self.decisions.check()
        for lot_id, free_nano in self.lots.items():
            require("P30", balances.get(f"wallet:{ACCOUNT}:{lot_id}", 0) == free_nano, "lots")
        for lease_id, book in self.leases.items():
            left_nano = 0 if book.settled else book.lent_nano - book.charged_nano
            require("P30", balances.get(f"leased:{ACCOUNT}:{lease_id}", 0) == left_nano, "leases")

    def _balance_nano(self) -> int:
        """What the account owns, lent, held or set aside or not."""
        return self.granted_nano - self.charged_nano - self.expired_nano - self.taken_nano

    def _of(self, prefix: str) -> Iterable[int]:
        return (amount for name, amount in self.balances.balances.items() if name.startswith(prefix))

    def check_clients(self, requests: Iterable[Request]) -> None:
        """P28 and the rules of release: what each client saw, against what is stored."""
        for request in requests:
            charge = self.charges.get(request.request_id)
            if request.told == "completed":
                require("P28", charge is not None, "a completed response has a stored charge")
            if request.told in ("failed", "refused"):
                require("P28", charge is None, "who was told of a failure pays nothing")
            if request.first_byte:
                require("P28", request.request_id in self.admitted, "a byte was shown before the admission")
            if charge is not None:
                usage_nano = charge.charge_nano + charge.shortfall_nano
                require("P28", usage_nano == request.rated_nano, "a charge is for what the upstream served")


class Follower:
    """The product's folds, fed by position as a read model is: what was delivered before changes nothing."""

    def __init__(self, *, keeps_position: bool = True) -> None:
        self.wallet = Wallet()
        self.leases: dict[UUID, Lease] = {}
        self.balances = TrialBalance(RULES)
        self.position = 0
        self._keeps_position = keeps_position

    def read_on(self, log: Log, *, after_position: int | None = None) -> None:
        """Read from where it stands, or once more from an older position."""
        first = self.position if after_position is None else after_position
        for stored in log.read_log(after_position=first):
            if stored.position > self.position or not self._keeps_position:
                self.position = stored.position
                self._fold(stored)

    def _fold(self, stored: Stored) -> None:
        for posting in postings(RULES, stored.event, stream_id=stored.stream_id):
            self.balances.post(posting)
        if stored.stream_id == WALLET:
            fold_wallet(self.wallet, stored.event)
        elif isinstance(stored.event, facts.LeaseEvent):
            fold_lease(self.leases.setdefault(stored.stream_id, Lease(stored.stream_id)), stored.event)

    def check_against(self, auditor: Auditor) -> None:
        """The product's state is what the auditor's own books say."""
        wallet = self.wallet
        open_books = {lease_id: book for lease_id, book in auditor.leases.items() if not book.settled}
        require("P10", wallet.lots == auditor.lots, "lots")
        require("P10", wallet.available_nano == sum(auditor.lots.values()), "available")
        require("P10", wallet.leased_nano == sum(book.lent_nano for book in open_books.values()), "leased")
        require("P10", wallet.expired_nano == auditor.expired_nano, "expired")
        require("P10", wallet.taken_nano == auditor.taken_nano, "taken")
        claims = {claim_id: (one.lot_id, one.frozen_nano) for claim_id, one in wallet.claims.items()}
        books = {claim_id: (one.lot_id, one.frozen_nano) for claim_id, one in auditor.claims.items()}
        require("P10", claims == books, "claims")
        require("P10", wallet.owed_nano == auditor.owed_nano, "owed")
        settled_nano = wallet.posted_nano - wallet.available_nano - wallet.leased_nano - wallet.frozen_nano
        settled_nano += wallet.charged_nano
        require("P10", wallet.charged_nano == settled_nano, "charged")
        require("P10", wallet.leases.keys() == open_books.keys(), "leases")
        for lease_id, book in open_books.items():
            lease = self.leases[lease_id]
            require("P10", lease.free_nano == book.amount_nano - book.charged_nano - book.held_nano, "free")

    def check_against_refold(self, log: Log) -> None:
        """P10: folding as it comes and folding all at once give the same."""
        again = Follower()
        again.read_on(log)
        require("P10", again.balances.balances == self.balances.balances, "balances")
        require("P10", again.wallet == self.wallet, "wallet")
        require("P10", again.leases == self.leases, "leases")


def check_snapshot(world: World, at_version: int) -> None:
    """P09: a wallet folded from a snapshot and the rest of its stream is the wallet folded from all."""
    stream = world.log.read_stream(WALLET)
    early = Wallet()
    for stored in stream[:at_version]:
        fold_wallet(early, stored.event)
    mark = mark_of(stream[at_version - 1].state) if at_version else b""
    found = decode_snapshot(world.rules.encode_snapshot(early, mark=mark))
    require("P09", found is not None and found.mark == mark, "a snapshot can be read")
    assert found is not None
    restored = found.wallet
    require("P09", restored == early and list(restored.lots) == list(early.lots), "a snapshot is the wallet")
    for stored in stream[at_version:]:
        fold_wallet(restored, stored.event)
    require("P09", restored == world.wallet(), "snapshot and tail are the wallet")
