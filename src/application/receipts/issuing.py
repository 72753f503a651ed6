"""Makes receipts out of the log. The request log is only asked where the event is; what a receipt says is the event's.

Blocking; safe to use from threads.
"""

from typing import Literal
from uuid import UUID

import msgspec
import structlog

from application.eventlog import EventStore, RecordedEvent
from application.queries import RequestQueries
from application.sealing.reading import NotSealed, SealBroken, SealedLog
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.ledger.events import Attempt, RequestAbandoned, RequestReleased, UsageCharged
from domain.ledger.postings import load_rules
from domain.pricing import PriceInForce
from domain.receipts.receipt import Ended, Receipt, receipt_of
from domain.refusal import NotFound
from domain.sealing.leaf import leaf
from domain.sealing.notes import Signer, sign_note
from domain.topics import REGISTRY

Seal = Literal["sealed", "pending", "off", "broken"]

log = structlog.get_logger()


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """As customers get it. `seal` is `pending` until the event is in a signed tree, `off` where nothing is sealed."""

    receipt: Receipt
    note: str | None
    seal: Seal
    proof: str | None


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
        price = self._price(event) if isinstance(event, UsageCharged) else None
        receipt = receipt_of(stored, event, price=price, rules=self._rules)
        seal, proof = self._proof(stored)
        note = None if self._signer is None else sign_note(receipt.line, self._signer).decode()
        return Issued(receipt=receipt, note=note, seal=seal, proof=proof)

    def _price(self, event: UsageCharged) -> PriceInForce:
        """The price that made a charge, out of the publication that the charge names."""
        stored = self._store.read_stream(PRICE_LIST_STREAM, after_version=event.price_version - 1)[0]
        published = REGISTRY.decode(stored.topic, stored.state)
        assert isinstance(published, PriceListPublished)
        return PriceInForce(
            version=stored.version,
            effective_from_us=published.effective_from_us,
            markup_ppm=published.markup_ppm,
            price=published.entries[event.alias],
        )

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
