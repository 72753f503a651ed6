"""Idempotency keys of requests: the same key and body is charged once and told its outcome again, another body is refused.

A key is a stream `idem:{key_sha256}` of its account. Whoever stores its next version serves the request. The outcome
`charged` goes into one append with the charge, so that neither exists without the other, and is the key's last. After
any other outcome nothing was paid, and the same request may be tried again under the key.
"""

from hashlib import sha256
from typing import ClassVar, Literal, assert_never
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ids import stream_of
from domain.ledger.refusals import AmountOutOfRange, LedgerRefusal, UnknownRequest

Outcome = Literal["charged", "released", "abandoned"]


class IdempotencyKeyClaimed(Event, frozen=True, kw_only=True):
    """A request is served for this key, and no other meanwhile; key and body are known by their hashes only."""

    TOPIC: ClassVar[str] = "idempotency.key-claimed.v1"

    account_id: UUID
    key_sha256: str
    body_sha256: str
    request_id: UUID
    occurred_us: int
    lease_id: UUID | msgspec.UnsetType = msgspec.UNSET  #: holds its credit; no charge after its end


class IdempotencyOutcomeRecorded(Event, frozen=True, kw_only=True):
    """The request that claimed the key last has ended; nothing more will be charged for it."""

    TOPIC: ClassVar[str] = "idempotency.outcome-recorded.v1"

    request_id: UUID
    outcome: Outcome
    charge_nano: int
    occurred_us: int


IdempotencyEvent = IdempotencyKeyClaimed | IdempotencyOutcomeRecorded
IDEMPOTENCY_EVENTS: tuple[type[Event], ...] = (IdempotencyKeyClaimed, IdempotencyOutcomeRecorded)


class IdempotencyKeyReused(LedgerRefusal):
    """The key came before with another body; nothing was done."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyInProgress(LedgerRefusal):
    """The first request with this key has not ended yet; nothing was done."""

    code: ClassVar[str] = "idempotency_in_progress"


class OutcomeAlreadyRecorded(LedgerRefusal):
    """The key has another outcome already; a key has one."""

    code: ClassVar[str] = "idempotency_outcome_recorded"


class Replay(msgspec.Struct, frozen=True):
    """What became of the request that claimed this key."""

    request_id: UUID
    outcome: Outcome
    charge_nano: int


class IdempotencyKey(msgspec.Struct):
    """The fold of a key's stream. `evolve` changes it in place."""

    body_sha256: str = ""
    request_id: UUID | None = None  #: the request that claimed it last
    lease_id: UUID | None = None  #: where that one holds its credit, if it said so
    recorded: Replay | None = None  #: how that one ended
    version: int = 0


def digest(value: bytes) -> str:
    """How keys and bodies stand in events."""
    return sha256(value).hexdigest()


def key_stream(account_id: UUID, key_sha256: str) -> UUID:
    """The stream of an account's key."""
    return stream_of(account_id, f"idem:{key_sha256}")


def claim(
    key: IdempotencyKey,
    *,
    account_id: UUID,
    key_sha256: str,
    body_sha256: str,
    request_id: UUID,
    now_us: int,
    lease_id: UUID | None = None,
) -> list[IdempotencyEvent] | Replay:
    """Claim the key for a request, or say what was charged for it. Nothing is left to do for one that claimed before.

    Raises:
        IdempotencyKeyReused: the body differs from the first one's, whatever became of that.
        IdempotencyInProgress: another request with this key has no outcome yet.
    """
    if key.request_id == request_id and key.recorded is None and body_sha256 == key.body_sha256:
        return []
    charged = charged_for(key, body_sha256=body_sha256)
    if charged is not None:
        return charged
    return [
        IdempotencyKeyClaimed(
            account_id=account_id,
            key_sha256=key_sha256,
            body_sha256=body_sha256,
            request_id=request_id,
            occurred_us=now_us,
            lease_id=lease_id or msgspec.UNSET,
        )
    ]


def charged_for(key: IdempotencyKey, *, body_sha256: str) -> Replay | None:
    """What was charged for the key; none when it is free to be claimed with this body.

    Raises:
        IdempotencyKeyReused: the body differs from the first one's, whatever became of that.
        IdempotencyInProgress: a request with this key has no outcome yet.
    """
    if key.request_id is None:
        return None
    if body_sha256 != key.body_sha256:
        raise IdempotencyKeyReused("the key came with another body before")
    if key.recorded is None:
        raise IdempotencyInProgress("the first request with this key has not ended")
    return key.recorded if key.recorded.outcome == "charged" else None


def record_outcome(
    key: IdempotencyKey, *, request_id: UUID, outcome: Outcome, charge_nano: int, now_us: int
) -> list[IdempotencyEvent]:
    """Say how the request ended. A charge must be stored in one append with it.

    `released` and `abandoned` free the key, so they may be said only when the request cannot be charged any more: by its
    owner when it gives the hold back, by anybody once its lease has ended.

    Raises:
        UnknownRequest: this request did not claim the key.
        AmountOutOfRange: the charge is negative, or there is one without an answer to pay for.
        OutcomeAlreadyRecorded: another outcome stands.
    """
    if request_id != key.request_id:
        raise UnknownRequest(str(request_id))
    if charge_nano < 0 or (charge_nano and outcome != "charged"):
        raise AmountOutOfRange(str(charge_nano))
    wanted = Replay(request_id, outcome, charge_nano)
    if key.recorded is not None:
        if key.recorded != wanted:
            raise OutcomeAlreadyRecorded(str(request_id))
        return []
    return [
        IdempotencyOutcomeRecorded(
            request_id=request_id, outcome=outcome, charge_nano=charge_nano, occurred_us=now_us
        )
    ]


def evolve(key: IdempotencyKey, event: IdempotencyEvent) -> IdempotencyKey:
    """Fold one stored event into `key`, in place."""
    match event:
        case IdempotencyKeyClaimed():
            key.body_sha256 = event.body_sha256
            key.request_id = event.request_id
            key.lease_id = None if event.lease_id is msgspec.UNSET else event.lease_id
            key.recorded = None
        case IdempotencyOutcomeRecorded():
            key.recorded = Replay(event.request_id, event.outcome, event.charge_nano)
        case _:
            assert_never(event)
    key.version += 1
    return key
