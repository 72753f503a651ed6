"""Idempotency keys of requests: the same key and body is served once and told its outcome again, another body is refused.

A key is a stream `idem:{key_sha256}` of its account. Whoever stores version 1 serves the request; the outcome goes
into one append with the request's charge or release, so that neither exists without the other.
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
    """A request is the first with this key; the key and the body are known by their hashes only."""

    TOPIC: ClassVar[str] = "idempotency.key-claimed.v1"

    account_id: UUID
    key_sha256: str
    body_sha256: str
    request_id: UUID
    occurred_us: int


class IdempotencyOutcomeRecorded(Event, frozen=True, kw_only=True):
    """The request with this key has ended; nothing will be charged for the key any more."""

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
    """What became of the request that had this key first."""

    request_id: UUID
    outcome: Outcome
    charge_nano: int


class IdempotencyKey(msgspec.Struct):
    """The fold of a key's stream. `evolve` changes it in place."""

    body_sha256: str = ""
    request_id: UUID | None = None  #: the request that is served for this key
    recorded: Replay | None = None
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
) -> list[IdempotencyEvent] | Replay:
    """Claim the key for a request, or say how the first one ended. Nothing is left to do for one that claimed before.

    Raises:
        IdempotencyKeyReused: the body differs from the first one's, whatever became of that.
        IdempotencyInProgress: another request with this key has no outcome yet.
    """
    if key.request_id is None:
        return [
            IdempotencyKeyClaimed(
                account_id=account_id,
                key_sha256=key_sha256,
                body_sha256=body_sha256,
                request_id=request_id,
                occurred_us=now_us,
            )
        ]
    if body_sha256 != key.body_sha256:
        raise IdempotencyKeyReused(key_sha256)
    if key.recorded is not None:
        return key.recorded
    if request_id != key.request_id:
        raise IdempotencyInProgress(key_sha256)
    return []


def record_outcome(
    key: IdempotencyKey, *, request_id: UUID, outcome: Outcome, charge_nano: int, now_us: int
) -> list[IdempotencyEvent]:
    """Say how the request ended; must be stored in one append with its charge, release or abandonment.

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
        case IdempotencyOutcomeRecorded():
            key.recorded = Replay(event.request_id, event.outcome, event.charge_nano)
        case _:
            assert_never(event)
    key.version += 1
    return key
