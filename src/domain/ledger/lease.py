"""The lease: credit lent to one gateway process, and the holds and charges of its requests.

The owner decides here from memory, without asking anyone. Whoever appends the next version of the stream
decides its fate: a reaper's fence and the owner's next charge want the same version, and one of them loses.
"""

from typing import Final, assert_never
from uuid import UUID

import msgspec

from domain.ledger import parts, shares
from domain.ledger.events import (
    AMOUNT_NANO_MAX,
    Attempt,
    ChargeHeldForReview,
    LeaseClosed,
    LeaseEvent,
    LeaseFenced,
    LeaseGaveBack,
    LeaseOpened,
    LeaseShareRaised,
    LeaseShareReturned,
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
from domain.ledger.lots import LentSlice, Slice, Slices
from domain.ledger.parts import Parts
from domain.ledger.refusals import (
    AmountOutOfRange,
    DuplicateRequest,
    InsufficientCredit,
    LeaseEnded,
    ShareTooSmall,
    UnknownRequest,
)
from domain.ledger.shares import Draw, Drawn, Shares

REVIEW_FLAG: Final = "absurd"
"""The flag of a usage that cannot be: its charge is held for review."""


class Lease(msgspec.Struct):
    """The fold of a lease stream. `evolve` changes it in place.

    A lease is *plain* while it has one lot that is good for everything and for ever: then only sums are kept. One of an
    older log does not know its lots at all; it is plain too.
    """

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
    plain: bool = True
    parts: Parts = []
    held_of: dict[UUID, Slices] = {}  #: request id -> of which lots its hold is; empty in a plain lease
    shares: Shares = {}  #: of hard budgets
    drawn: dict[UUID, Drawn] = {}  #: request id -> which of the shares its hold is set aside in, if any

    @property
    def free_nano(self) -> int:
        """What no request holds; in a plain lease, what a new request may still hold."""
        return self.amount_nano - self.charged_nano - self.held_nano

    def free_for_nano(self, alias: str, now_us: int) -> int:
        """What a new request of this model may still hold."""
        if self.plain:
            return self.free_nano
        return parts.free_for_nano(self.parts, alias, now_us)

    def has_expired(self, now_us: int) -> bool:
        """Something lies in it that no request can hold any more."""
        return not self.plain and any(
            part.free_nano and part.terms.has_expired(now_us) for part in self.parts
        )

    def of_its_lot(self, amount_nano: int) -> Slices:
        """So much of a plain lease, by lot."""
        return (Slice(self.parts[0].lot_id, amount_nano),)

    def spent(self) -> dict[UUID, int] | None:
        """What was charged of each lot; None for a lease that does not know its lots."""
        if not self.parts:
            return None
        if self.plain:
            return {self.parts[0].lot_id: self.charged_nano}
        return {part.lot_id: part.charged_nano for part in self.parts}


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
    draws: tuple[Draw, ...] = (),
) -> list[LeaseEvent]:
    """Set the worst case of a request aside. `draws` are the buckets of budgets that it counts in at `now_us`.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        DuplicateRequest: the request holds credit here already.
        AmountOutOfRange: the hold is negative.
        InsufficientCredit: the lease has less free for the model than `hold_nano`; nothing is held.
        ShareTooSmall: the lease has less free of a hard budget than `hold_nano`; nothing is held.
    """
    account_id = require_live(lease)
    if request_id in lease.holds:
        raise DuplicateRequest(str(request_id))
    if hold_nano < 0:
        raise AmountOutOfRange(str(hold_nano))
    if hold_nano > lease.free_nano:
        raise InsufficientCredit(required_nano=hold_nano, available_nano=lease.free_nano)
    if draws and shares.lacking(lease.shares, draws, hold_nano):
        raise ShareTooSmall(str(lease.lease_id))
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
            slices=(
                msgspec.UNSET
                if lease.plain
                else parts.set_aside(lease.parts, hold_nano, alias=alias, now_us=now_us)
            ),
            budgets=tuple(one.bucket for one in draws) if draws else msgspec.UNSET,
        )
    ]


def charge(
    lease: Lease, *, request_id: UUID, rated_nano: int, answer: Answer, now_us: int
) -> list[LeaseEvent]:
    """Take what the answer cost out of its hold, never more; the part above the hold is the operator's.

    What the provider cannot mean is charged all the same, and held for review.

    Raises:
        LeaseEnded: the lease is closed or fenced.
        UnknownRequest: the request has no open hold here.
        AmountOutOfRange: `rated_nano` is negative or no 64-bit number; the hold stands.
    """
    account_id = require_live(lease)
    hold_nano = _hold_of(lease, request_id)
    if not 0 <= rated_nano <= AMOUNT_NANO_MAX:
        raise AmountOutOfRange(str(rated_nano))
    charge_nano = min(rated_nano, hold_nano)
    charged = UsageCharged(
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
    return [charged] if REVIEW_FLAG not in answer.usage_flags else [charged, _held_for_review(charged)]


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
    account_id = require_live(lease)
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


def evolve(lease: Lease, event: LeaseEvent) -> Lease:
    """Fold one stored event into `lease`, in place."""
    match event:
        case RequestAdmitted():
            _begin_hold(lease, event)
        case UsageCharged():
            _end_hold(lease, event.request_id, event.charge_nano)
            lease.charges += 1
        case RequestReleased() | RequestAbandoned():
            _end_hold(lease, event.request_id, 0)
        case ChargeHeldForReview():
            pass
        case LeaseOpened():
            lease.account_id = event.account_id
            lease.owner = event.owner
            lease.ended = False
            _raise(lease, event.amount_nano, event.slices or ())
        case LeaseToppedUp():
            _raise(lease, event.amount_nano, event.slices or ())
        case LeaseGaveBack():
            lease.amount_nano -= event.amount_nano
            parts.take(lease.parts, event.slices or ())
        case LeaseShareRaised() | LeaseShareReturned():
            is_more = isinstance(event, LeaseShareRaised)
            shares.change(lease.shares, event.bucket, event.amount_nano if is_more else -event.amount_nano)
        case LeaseClosed() | LeaseFenced():
            lease.ended = True
        case _:
            assert_never(event)
    lease.version += 1
    return lease


def require_live(lease: Lease) -> UUID:
    """The account of a lease that is open; narrows the type for the deciders."""
    if lease.ended or lease.account_id is None:
        raise LeaseEnded(lease.lease_id)
    return lease.account_id


def _held_for_review(charged: UsageCharged) -> ChargeHeldForReview:
    return ChargeHeldForReview(
        request_id=charged.request_id,
        account_id=charged.account_id,
        key_id=charged.key_id,
        alias=charged.alias,
        provider=charged.provider,
        hold_nano=charged.hold_nano,
        charge_nano=charged.charge_nano,
        reasons=charged.usage_flags,
        occurred_us=charged.occurred_us,
    )


def _hold_of(lease: Lease, request_id: UUID) -> int:
    try:
        return lease.holds[request_id]
    except KeyError:
        raise UnknownRequest(str(request_id)) from None


def _raise(lease: Lease, amount_nano: int, slices: tuple[LentSlice, ...]) -> None:
    if slices:
        if lease.version:
            _keep_parts(lease)
        parts.add(lease.parts, slices)
        lease.plain = not lease.version and len(slices) == 1 and slices[0].terms.is_plain
    lease.amount_nano += amount_nano


def _keep_parts(lease: Lease) -> None:
    """If the lease was plain until now, all that is charged and held is of its only lot."""
    if not lease.plain:
        return
    part = lease.parts[0]
    part.amount_nano = lease.amount_nano
    part.charged_nano = lease.charged_nano
    part.held_nano = lease.held_nano
    lease.held_of = {
        request_id: (Slice(part.lot_id, hold_nano),) for request_id, hold_nano in lease.holds.items()
    }


def _begin_hold(lease: Lease, event: RequestAdmitted) -> None:
    lease.holds[event.request_id] = event.hold_nano
    lease.held_nano += event.hold_nano
    if event.slices:
        lease.held_of[event.request_id] = event.slices
        parts.hold(lease.parts, event.slices)
    if event.budgets and lease.shares:
        drawn = shares.hold(lease.shares, event.budgets, event.hold_nano)
        if drawn:
            lease.drawn[event.request_id] = drawn


def _end_hold(lease: Lease, request_id: UUID, charge_nano: int) -> None:
    hold_nano = lease.holds.pop(request_id)
    lease.held_nano -= hold_nano
    lease.charged_nano += charge_nano
    if lease.drawn:
        drawn = lease.drawn.pop(request_id, ())
        shares.end_hold(lease.shares, drawn, hold_nano=hold_nano, charge_nano=charge_nano)
    if lease.held_of:
        parts.end_hold(lease.parts, lease.held_of.pop(request_id, ()), charge_nano)
