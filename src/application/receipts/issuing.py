"""Makes receipts out of the log. The request log is only asked where the event is; what a receipt says is the event's.

Blocking; safe to use from threads.
"""

from typing import Literal
from uuid import UUID

import msgspec
import structlog

from application.charges.case import read_case, was_held
from application.eventlog import EventStore, RecordedEvent
from application.prices import published_price
from application.queries import RequestQueries, ReviewState
from application.sealing.reading import NotSealed, SealBroken, SealedLog
from domain.ledger.charges import ChargeCase
from domain.ledger.events import Attempt, RequestAbandoned, RequestReleased, UsageCharged
from domain.ledger.postings import load_rules
from domain.receipts.receipt import Ended, Receipt, receipt_of
from domain.refusal import NotFound
from domain.sealing.leaf import leaf
from domain.sealing.notes import Signer, sign_note
from domain.topics import REGISTRY

Seal = Literal["sealed", "pending", "off", "broken"]

log = structlog.get_logger()


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about the charge after the receipt's event."""

    kind: Literal["review", "late-usage"]
    occurred_us: int
    charge_nano: int  #: what the request costs since then, unless a second operator has refused it
    adjustment_id: UUID | None  #: in the customer's statement, once it is posted; none if nothing changed


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """As customers get it. `seal` is `pending` until the event is in a signed tree, `off` where nothing is sealed."""

    receipt: Receipt
    note: str | None
    seal: Seal
    proof: str | None
    review: ReviewState | None  #: of a charge that was held for it or disputed
    corrections: tuple[Correction, ...]  #: in their order


class OperatorReceipt(Issued, frozen=True, kw_only=True):
    """With the event's own line, and the attempts as stored: deployments, credentials, what they cost us."""

    leaf: str
    stored_attempts: tuple[Attempt, ...]


class Receipts:
    """One instance a process."""

    def __init__(
        self,
        *,
        requests: RequestQueries,
        store: EventStore,
        sealed: SealedLog | None,
        signer: Signer | None,
    ) -> None:
        self._requests = requests
        self._store = store
        self._sealed = sealed
        self._signer = signer
        self._rules = load_rules()

    def issue(self, request_id: UUID, *, account_id: UUID) -> Issued:
        """The receipt for a customer.

        Raises:
            NotFound: there is no such request of this account, or it has not ended yet as far as the record goes.
        """
        stored, event = self._ending(request_id)
        if event.account_id != account_id:
            raise NotFound("receipt", request_id)
        return self._issued(stored, event)

    def issue_to_operator(self, request_id: UUID) -> OperatorReceipt:
        """The receipt of any account's request, with more. Raises `NotFound`."""
        stored, event = self._ending(request_id)
        issued = self._issued(stored, event)
        return OperatorReceipt(
            receipt=issued.receipt,
            note=issued.note,
            seal=issued.seal,
            proof=issued.proof,
            review=issued.review,
            corrections=issued.corrections,
            leaf=leaf(stored).decode(),
            stored_attempts=() if isinstance(event, RequestAbandoned) else event.attempts,
        )

    def _ending(self, request_id: UUID) -> tuple[RecordedEvent, Ended]:
        detail = self._requests.request(request_id)
        if detail is None or detail.request.state == "admitted":
            raise NotFound("receipt", request_id)
        (stored,) = self._store.read_log(after_position=detail.request.last_position - 1, limit=1)
        event = REGISTRY.decode(stored.topic, stored.state)
        if not isinstance(event, UsageCharged | RequestReleased | RequestAbandoned):
            raise NotFound("receipt", request_id)
        return stored, event

    def _issued(self, stored: RecordedEvent, event: Ended) -> Issued:
        price = None
        if isinstance(event, UsageCharged):
            price = published_price(self._store, event.price_version, event.alias)
        receipt = receipt_of(stored, event, price=price, rules=self._rules)
        seal, proof = self._proof(stored)
        note = None if self._signer is None else sign_note(receipt.line, self._signer).decode()
        case = read_case(self._store, event.request_id)
        return Issued(
            receipt=receipt,
            note=note,
            seal=seal,
            proof=proof,
            review=self._review(stored, event, case),
            corrections=_corrections(case),
        )

    def _review(self, stored: RecordedEvent, event: Ended, case: ChargeCase) -> ReviewState | None:
        if case.is_disputed:
            return "waiting"
        if case.reviews:
            return case.reviews[-1].outcome
        is_held = isinstance(event, UsageCharged) and was_held(self._store, stored, event)
        return "waiting" if is_held else None

    def _proof(self, stored: RecordedEvent) -> tuple[Seal, str | None]:
        if self._sealed is None:
            return "off", None
        try:
            return "sealed", self._sealed.proof_of(stored).text.decode()
        except NotSealed:
            return "pending", None
        except SealBroken as broken:
            log.error("receipt_without_proof", position=stored.position, reason=str(broken))  # noqa: TRY400
            return "broken", None


def _corrections(case: ChargeCase) -> tuple[Correction, ...]:
    found = [
        Correction(
            kind="late-usage",
            occurred_us=one.occurred_us,
            charge_nano=one.charge_nano,
            adjustment_id=one.adjustment_id or None,
        )
        for one in case.reports
    ]
    found += [
        Correction(
            kind="review",
            occurred_us=one.occurred_us,
            charge_nano=one.right_nano,
            adjustment_id=one.adjustment_id or None,
        )
        for one in case.reviews
    ]
    return tuple(sorted(found, key=lambda one: one.occurred_us))
