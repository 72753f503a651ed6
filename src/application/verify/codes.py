"""Codes and demos: each is used once and becomes exactly the credit that was promised."""

from collections import Counter
from uuid import UUID

import msgspec

from application.verify.ledger import Stored
from application.verify.report import Findings
from domain.ledger.events import CreditLotGranted
from domain.promotions.batch import batch_stream, count_stream
from domain.promotions.demo import DemoStarted, demo_stream
from domain.promotions.events import (
    CodeBatchIssued,
    RedemptionCodeIssued,
    RedemptionCodeRedeemed,
    RedemptionCounted,
)


class _Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Credit that is still to come in the same append."""

    account_id: UUID
    amount_nano: int
    is_counted: bool  #: by a stream of the account and the batch


class CodeCheck:
    """Keeps codes until they are redeemed, and redemptions until they are credited."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._batches: dict[UUID, CodeBatchIssued] = {}
        self._codes: dict[UUID, UUID] = {}  #: batches of codes that are not redeemed, by the code's stream
        self._counts: Counter[UUID] = Counter()  #: codes by batch
        self._waiting: dict[UUID, _Waiting] = {}  #: by lot
        self._counted: set[UUID] = set()  #: lots

    def take(self, at: Stored) -> None:
        """A fact about codes or a demo, or a grant; of any other nothing is done."""
        match at.event:
            case CodeBatchIssued() as event:
                if at.stream_id != batch_stream(event.batch_id) or at.version != 1:
                    self._find(at, f"not the beginning of batch {event.batch_id}")
                self._batches[event.batch_id] = event
            case RedemptionCodeIssued() as event:
                self._issued(at, event)
            case RedemptionCodeRedeemed() as event:
                self._redeemed(at, event)
            case RedemptionCounted() as event:
                self._count(at, event)
            case DemoStarted() as event:
                if at.stream_id != demo_stream(event.account_id) or at.version != 1:
                    self._find(at, f"not the one demo of {event.account_id}")
                self._waiting[event.lot_id] = _Waiting(
                    account_id=event.account_id, amount_nano=event.amount_nano, is_counted=False
                )
            case CreditLotGranted() as event if event.lot_id in self._waiting:
                self._credited(at, event)
            case _:
                pass

    def finish(self) -> None:
        """What was redeemed was credited."""
        for lot_id in self._waiting:
            self._findings.add("C01", position=0, subject=lot_id, detail="promised, and never credited")

    def _issued(self, at: Stored, event: RedemptionCodeIssued) -> None:
        batch = self._batches.get(event.batch_id)
        self._counts[event.batch_id] += 1
        if batch is None or at.version != 1 or self._counts[event.batch_id] > batch.count:
            self._find(at, f"a code more than batch {event.batch_id} has")
        self._codes[at.stream_id] = event.batch_id

    def _redeemed(self, at: Stored, event: RedemptionCodeRedeemed) -> None:
        batch = self._batches.get(event.batch_id)
        if self._codes.pop(at.stream_id, None) != event.batch_id or batch is None:
            self._find(at, "redeemed, and no code of this batch that is good")
            return
        if batch.redeem_until_us is not None and event.occurred_us >= batch.redeem_until_us:
            self._find(at, "redeemed after its time")
        self._waiting[event.lot_id] = _Waiting(
            account_id=event.account_id, amount_nano=batch.amount_nano, is_counted=True
        )

    def _count(self, at: Stored, event: RedemptionCounted) -> None:
        batch = self._batches.get(event.batch_id)
        if at.stream_id != count_stream(event.batch_id, event.account_id):
            self._find(at, f"not the count of {event.account_id}")
        if batch is None or at.version > batch.per_account:
            self._find(at, f"{event.account_id} redeemed more of batch {event.batch_id} than it may")
        self._counted.add(event.lot_id)

    def _credited(self, at: Stored, event: CreditLotGranted) -> None:
        waiting = self._waiting.pop(event.lot_id)
        wanted = waiting.account_id, waiting.amount_nano, "promo"
        if (event.account_id, event.amount_nano, event.source) != wanted:
            self._find(at, f"lot {event.lot_id} is not what was promised")
        if waiting.is_counted and event.lot_id not in self._counted:
            self._find(at, f"lot {event.lot_id} was redeemed and not counted")
        self._counted.discard(event.lot_id)

    def _find(self, at: Stored, detail: str) -> None:
        self._findings.add("C01", position=at.position, subject=at.stream_id, detail=detail)
