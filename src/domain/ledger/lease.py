"""The lease: credit lent to one gateway process, and the holds and charges of its requests.

The owner decides here from memory, without asking anyone. Whoever appends the next version of the stream
decides its fate: a reaper's fence and the owner's next charge want the same version, and one of them loses.
"""

from typing import assert_never
from uuid import UUID

import msgspec

from domain.ledger.events import (
    AMOUNT_NANO_MAX,
    Attempt,
    LeaseClosed,
    LeaseEvent,
    LeaseFenced,
    LeaseGaveBack,
    LeaseOpened,
    LeaseToppedUp,
    Owner,
    PassedOver,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
    UsageSource,
)
from domain.ledger.refusals import (
    AmountOutOfRange,
    DuplicateRequest,
    InsufficientCredit,
    LeaseBusy,
    LeaseEnded,
    UnknownRequest,
)


class Lease(msgspec.Struct):
    """The fold of a lease stream. `evolve` changes it in place."""

    lease_id: UUID
    account_id: UUID | None = None
    owner: Owner | None = None
    amount_nano: int = 0  #: lent, less what was given back
    charged_nano: int = 0
    held_nano: int = 0  #: the sum over `holds`
    charges: int = 0
    holds: dict[UUID, int] = {}  #: request id -> nano-credits set aside
    ended: bool = True  #: before `LeaseOpened`, and after `LeaseClosed` or `LeaseFenced`
    version: int = 0

    @property
    def free_nano(self) -> int:
        """What a new request may still hold."""
        return self.amount_nano - self.charged_nano - self.held_nano


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended with something to pay for; everything `UsageCharged` records beside the money."""

    key_id: UUID
    alias: str
    price_version: int
    units: Units
    usage_source: UsageSource
    usage_flags: tuple[str, ...] = ()
    usage_raw: str | None = None
    result: str
    provider: str
    deployment_id: UUID
    attempts: tuple[Attempt, ...]
    first_byte_ms: int
    total_ms: int
    operation: str | msgspec.UnsetType = msgspec.UNSET
    factor_ppm: int | msgspec.UnsetType = msgspec.UNSET
    passed_over: tuple[PassedOver, ...] = ()


def open_lease(
    lease: Lease, *, account_id: UUID, owner: Owner, amount_nano: int, valid_ms: int, now_us: int
) -> list[LeaseEvent]:
    """The lease's side of a grant; must be stored in one append with the wallet's.

    Raises:
        LeaseEnded: the lease was opened before; a lease is opened once.
        AmountOutOfRange: the amount is not positive.
    """
    if lease.version:
        raise LeaseEnded(lease.lease_id)
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    return [
        LeaseOpened(
            account_id=account_id,
            owner=owner,
            amount_nano=amount_nano,
            valid_ms=valid_ms,
            occurred_us=now_us,
        )
    ]


def top_up(lease: Lease, *, amount_nano: int) -> list[LeaseEvent]:
    """The lease's side of an extension that the wallet has stored.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: the amount is not positive.
    """
    _require_live(lease)
    if amount_nano <= 0:
        raise AmountOutOfRange(str(amount_nano))
    return [LeaseToppedUp(amount_nano=amount_nano)]


def give_back(lease: Lease, *, amount_nano: int) -> list[LeaseEvent]:
    """Return what no request holds; the wallet takes it back once this is stored.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        AmountOutOfRange: not positive, or more than is free in the lease.
    """
    _require_live(lease)
    if not 0 < amount_nano <= lease.free_nano:
        raise AmountOutOfRange(str(amount_nano))
    return [LeaseGaveBack(amount_nano=amount_nano)]


def admit(
    lease: Lease,
    *,
    request_id: UUID,
    key_id: UUID,
    alias: str,
    stream: bool,
    hold_nano: int,
    price_version: int,
    client_ref: str | None,
    now_us: int,
) -> list[LeaseEvent]:
    """Set the worst case of a request aside.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        DuplicateRequest: the request holds credit here already.
        AmountOutOfRange: the hold is negative.
        InsufficientCredit: the lease has less free than `hold_nano`; nothing is held.
    """
    account_id = _require_live(lease)
    if request_id in lease.holds:
        raise DuplicateRequest(str(request_id))
    if hold_nano < 0:
        raise AmountOutOfRange(str(hold_nano))
    if hold_nano > lease.free_nano:
        raise InsufficientCredit(required_nano=hold_nano, available_nano=lease.free_nano)
    return [
        RequestAdmitted(
            request_id=request_id,
            account_id=account_id,
            key_id=key_id,
            alias=alias,
            stream=stream,
            hold_nano=hold_nano,
            price_version=price_version,
            client_ref=client_ref,
            occurred_us=now_us,
        )
    ]


def charge(
    lease: Lease, *, request_id: UUID, rated_nano: int, answer: Answer, now_us: int
) -> list[LeaseEvent]:
    """Take what the answer cost out of its hold, never more; the part above the hold is the operator's.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        UnknownRequest: the request has no open hold here.
        AmountOutOfRange: `rated_nano` is negative or no 64-bit number; the hold stands.
    """
    account_id = _require_live(lease)
    hold_nano = _hold_of(lease, request_id)
    if not 0 <= rated_nano <= AMOUNT_NANO_MAX:
        raise AmountOutOfRange(str(rated_nano))
    charge_nano = min(rated_nano, hold_nano)
    return [
        UsageCharged(
            request_id=request_id,
            account_id=account_id,
            key_id=answer.key_id,
            alias=answer.alias,
            hold_nano=hold_nano,
            charge_nano=charge_nano,
            shortfall_nano=rated_nano - charge_nano,
            price_version=answer.price_version,
            units=answer.units,
            usage_source=answer.usage_source,
            usage_flags=answer.usage_flags,
            usage_raw=answer.usage_raw,
            result=answer.result,
            provider=answer.provider,
            deployment_id=answer.deployment_id,
            attempts=answer.attempts,
            first_byte_ms=answer.first_byte_ms,
            total_ms=answer.total_ms,
            occurred_us=now_us,
            operation=answer.operation,
            factor_ppm=answer.factor_ppm,
            passed_over=answer.passed_over or msgspec.UNSET,
        )
    ]


def release(
    lease: Lease,
    *,
    request_id: UUID,
    key_id: UUID,
    alias: str,
    code: str,
    attempts: tuple[Attempt, ...],
    total_ms: int,
    now_us: int,
    passed_over: tuple[PassedOver, ...] = (),
) -> list[LeaseEvent]:
    """Free the whole hold of a request that ended with nothing to pay for.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        UnknownRequest: the request has no open hold here.
    """
    account_id = _require_live(lease)
    return [
        RequestReleased(
            request_id=request_id,
            account_id=account_id,
            key_id=key_id,
            alias=alias,
            hold_nano=_hold_of(lease, request_id),
            code=code,
            attempts=attempts,
            total_ms=total_ms,
            occurred_us=now_us,
            passed_over=passed_over or msgspec.UNSET,
        )
    ]


def close(lease: Lease, *, now_us: int) -> list[LeaseEvent]:
    """End the lease; must be stored in one append with the wallet's `LeaseSettled`.

    Raises:
        LeaseEnded: the lease is closed or fenced already.
        LeaseBusy: requests still hold credit in it.
    """
    _require_live(lease)
    if lease.holds:
        raise LeaseBusy(str(lease.lease_id))
    return [LeaseClosed(charged_nano=lease.charged_nano, charges=lease.charges, occurred_us=now_us)]


def fence(lease: Lease, *, by: Owner, reason: str, now_us: int) -> list[LeaseEvent]:
    """End the lease of an owner that is dead or silent; its open requests are abandoned, charged nothing.

    Must be stored in one append with the wallet's `LeaseSettled`.

    Raises:
        LeaseEnded: the lease is closed or fenced already.
    """
    account_id = _require_live(lease)
    abandoned: list[LeaseEvent] = [
        RequestAbandoned(
            request_id=request_id, account_id=account_id, hold_nano=hold_nano, occurred_us=now_us
        )
        for request_id, hold_nano in lease.holds.items()
    ]
    fenced = LeaseFenced(
        by=by,
        reason=reason,
        charged_nano=lease.charged_nano,
        charges=lease.charges,
        occurred_us=now_us,
    )
    return [*abandoned, fenced]


def evolve(lease: Lease, event: LeaseEvent) -> Lease:
    """Fold one stored event into `lease`, in place."""
    match event:
        case RequestAdmitted():
            lease.holds[event.request_id] = event.hold_nano
            lease.held_nano += event.hold_nano
        case UsageCharged():
            lease.held_nano -= lease.holds.pop(event.request_id)
            lease.charged_nano += event.charge_nano
            lease.charges += 1
        case RequestReleased() | RequestAbandoned():
            lease.held_nano -= lease.holds.pop(event.request_id)
        case LeaseOpened():
            lease.account_id = event.account_id
            lease.owner = event.owner
            lease.amount_nano = event.amount_nano
            lease.ended = False
        case LeaseToppedUp():
            lease.amount_nano += event.amount_nano
        case LeaseGaveBack():
            lease.amount_nano -= event.amount_nano
        case LeaseClosed() | LeaseFenced():
            lease.ended = True
        case _:
            assert_never(event)
    lease.version += 1
    return lease


def _require_live(lease: Lease) -> UUID:
    """The account of a lease that is open; narrows the type for the deciders."""
    if lease.ended or lease.account_id is None:
        raise LeaseEnded(lease.lease_id)
    return lease.account_id


def _hold_of(lease: Lease, request_id: UUID) -> int:
    try:
        return lease.holds[request_id]
    except KeyError:
        raise UnknownRequest(str(request_id)) from None
