"""The auditor's own books of what was decided about charges after they were made: C02, and A01 of the adjustments that follow."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ledger import charges
from domain.ledger import events as facts
from domain.ledger.adjustments import AdjustmentApproved, AdjustmentDenied, AdjustmentRequested
from tests.model.store import Stored
from tests.model.world import require

DISPUTED_US_MAX = 90 * 86_400 * 1_000_000


class ChargeBook(msgspec.Struct):
    """What the auditor knows of one request that has ended."""

    hold_nano: int
    charged_nano: int
    borne_nano: int
    ended_us: int
    paid_nano: int  #: as it was decided, unless that is denied
    moved_nano: int = 0  #: what adjustments have taken for it, less what they gave back
    waits_for_review: bool = False
    is_disputed: bool = False
    waiting: UUID | None = None  #: the adjustment that another operator has to agree to


class Ask(msgspec.Struct):
    """An adjustment that was asked for."""

    asked: AdjustmentRequested
    is_agreed: bool
    is_posted: bool = False
    is_denied: bool = False


class ChargeAudit:
    """Feed it every event; it looks at those about charges and their adjustments."""

    def __init__(self) -> None:
        self.borne_nano = 0  #: by late reports, in all
        self._books: dict[UUID, ChargeBook] = {}
        self._decided: set[UUID] = set()
        self._reports: set[tuple[str, str]] = set()
        self._untaken: set[tuple[str, str, UUID]] = set()
        self._differences: dict[UUID, tuple[UUID, int]] = {}  #: to be asked for in the same append
        self._asks: dict[UUID, Ask] = {}
        self._checks: dict[type[Event], Callable[[Stored, Any], None]] = {
            facts.UsageCharged: self._ended,
            facts.RequestReleased: self._ended,
            facts.RequestAbandoned: self._ended,
            facts.ChargeHeldForReview: self._held,
            charges.ChargeDisputed: self._disputed,
            charges.ChargeReviewed: self._reviewed,
            charges.UsageReportedLate: self._told_late,
            charges.UsageReportTaken: self._taken,
            AdjustmentRequested: self._asked,
            AdjustmentApproved: self._approved,
            AdjustmentDenied: self._denied,
            facts.AdjustmentPosted: self._posted,
        }

    def read(self, stored: Stored) -> None:
        check = self._checks.get(type(stored.event))
        if check is not None:
            check(stored, stored.event)

    def group_ends(self) -> None:
        """What one append must leave in order."""
        require("C02", not self._differences, "a difference is asked for where it is decided")
        require("C02", not self._untaken, "a report is taken where it is told")
        for one in self._asks.values():
            require(
                "A01", one.is_posted == one.is_agreed, "what is agreed to is posted where it is agreed to"
            )

    def check(self) -> None:
        """C02: what was decided is what was charged and what has moved since, but for what still waits."""
        for request_id in self._decided:
            book = self._books[request_id]
            ask = None if book.waiting is None else self._asks[book.waiting]
            open_nano = 0 if ask is None else _change_nano(ask.asked)
            moved_nano = book.charged_nano + book.moved_nano + open_nano
            require("C02", book.paid_nano == moved_nano, "what was decided is what moves")

    # --- charges

    def _ended(self, _: Stored, event: Any) -> None:
        charged_nano = getattr(event, "charge_nano", 0)
        borne_nano = getattr(event, "shortfall_nano", 0)
        self._books[event.request_id] = ChargeBook(
            event.hold_nano, charged_nano, borne_nano, event.occurred_us, charged_nano
        )

    def _held(self, _: Stored, event: facts.ChargeHeldForReview) -> None:
        self._books[event.request_id].waits_for_review = True

    def _disputed(self, stored: Stored, event: charges.ChargeDisputed) -> None:
        book = self._book(stored, event)
        require("C02", not book.is_disputed, "one dispute is open at a time")
        require("C02", 0 < event.charge_nano == book.paid_nano, "what was paid is disputed")
        require("C02", event.occurred_us <= book.ended_us + DISPUTED_US_MAX, "a dispute comes in time")
        book.is_disputed = True

    def _reviewed(self, stored: Stored, event: charges.ChargeReviewed) -> None:
        book = self._book(stored, event)
        require("C02", book.waits_for_review or book.is_disputed, "what waits is reviewed, and once")
        require("C02", event.charge_nano == book.paid_nano, "what was paid is reviewed")
        require("C02", 0 <= event.right_nano <= book.hold_nano, "nobody pays more than the hold")
        is_dearer = event.right_nano > event.charge_nano
        require("C02", not (book.is_disputed and is_dearer), "nobody pays more for having disputed")
        book.waits_for_review = book.is_disputed = False
        self._differs(book, event, event.right_nano - event.charge_nano)

    def _told_late(self, stored: Stored, event: charges.UsageReportedLate) -> None:
        book, report = self._book(stored, event), (event.provider, event.report_ref)
        require("C02", report not in self._reports, "a report counts once")
        self._reports.add(report)
        self._untaken.add((*report, event.request_id))
        require("C02", event.charge_before_nano == book.paid_nano, "it begins with what was paid")
        require("C02", 0 <= event.charge_nano <= book.hold_nano, "nobody pays more than the hold")
        more_nano = event.shortfall_nano - event.shortfall_back_nano
        require("P26", min(event.shortfall_nano, event.shortfall_back_nano) == 0, "more or less, not both")
        book.borne_nano += more_nano
        self.borne_nano += more_nano
        require("P26", book.borne_nano >= 0, "the operator gains nothing by a report")
        whole_nano = event.charge_nano + book.borne_nano
        require("C02", whole_nano == event.rated_nano, "what is paid and borne is what the usage costs")
        self._differs(book, event, event.charge_nano - event.charge_before_nano)

    def _taken(self, stored: Stored, event: charges.UsageReportTaken) -> None:
        require("C02", stored.version == 1, "a report is taken once")
        self._untaken.discard((event.provider, event.report_ref, event.request_id))

    def _book(self, stored: Stored, event: charges.ChargeEvent) -> ChargeBook:
        require(
            "C02", event.request_id in self._books, "a request has ended before anything is decided of it"
        )
        book = self._books[event.request_id]
        require("C02", stored.stream_id == charges.charge_stream(event.request_id), "in its own stream")
        require("C02", event.hold_nano == book.hold_nano, "the hold is what it was")
        require("C02", book.waiting is None, "nothing is decided while a correction waits")
        self._decided.add(event.request_id)
        return book

    def _differs(self, book: ChargeBook, event: Any, change_nano: int) -> None:
        require("C02", bool(event.adjustment_id) == bool(change_nano), "a difference is an adjustment")
        book.paid_nano += change_nano
        if change_nano:
            self._differences[event.adjustment_id] = event.request_id, change_nano

    # --- adjustments

    def _asked(self, _: Stored, event: AdjustmentRequested) -> None:
        require("A01", event.adjustment_id not in self._asks, "an adjustment is asked for once")
        self._asks[event.adjustment_id] = Ask(event, is_agreed=not event.waits)
        wanted = self._differences.pop(event.adjustment_id, None)
        require("C02", wanted == (event.ref, _change_nano(event)), "the difference is what is asked for")
        if event.waits:
            self._of(event).waiting = event.adjustment_id

    def _approved(self, _: Stored, event: AdjustmentApproved) -> None:
        ask = self._decidable(event.adjustment_id, event.actor)
        ask.is_agreed = True
        self._of(ask.asked).waiting = None

    def _denied(self, _: Stored, event: AdjustmentDenied) -> None:
        ask = self._decidable(event.adjustment_id, event.actor)
        ask.is_denied = True
        book = self._of(ask.asked)
        book.waiting = None
        book.paid_nano -= _change_nano(ask.asked)

    def _posted(self, _: Stored, event: facts.AdjustmentPosted) -> None:
        """Those that are about no request are the machine's own, which nobody asks for."""
        ask = self._asks.get(event.adjustment_id)
        require("A01", (ask is None) != isinstance(event.ref, UUID), "what is about a request was asked for")
        if ask is None:
            return
        require("A01", not ask.is_posted, "an adjustment is posted once")
        ask.is_posted = True
        said = (event.direction, event.amount_nano, event.ref)
        require("A01", said == (ask.asked.kind, ask.asked.amount_nano, ask.asked.ref), "as it was asked for")
        self._of(ask.asked).moved_nano += _change_nano(ask.asked)

    def _decidable(self, adjustment_id: UUID, actor: str) -> Ask:
        ask = self._asks[adjustment_id]
        require("A01", not (ask.is_agreed or ask.is_denied), "an adjustment is decided about once")
        require("A01", actor != ask.asked.actor, "by another operator")
        return ask

    def _of(self, asked: AdjustmentRequested) -> ChargeBook:
        assert asked.ref is not None
        return self._books[asked.ref]


def _change_nano(asked: AdjustmentRequested) -> int:
    """What the customer pays more by it."""
    return asked.amount_nano if asked.kind == "debit" else -asked.amount_nano
