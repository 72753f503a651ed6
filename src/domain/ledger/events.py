"""Facts of the ledger. Amounts are integer nano-credits and never negative; times are Unix microseconds.

A *wallet* stream belongs to an account and has many writers under optimistic versions. A *lease* stream
belongs to one gateway process, its only writer, until it is closed or fenced. An event that moves credit
between the two is stored in both streams: opening and ending in one atomic append, a change of size in the
order that never lets the lease spend what the wallet has not lent. So a lease is *extended* first and *topped
up* then, *gives back* first and is *reduced* then; what a crash leaves between the two, settlement returns, for
it goes by the wallet's figure.
"""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ledger.claim_events import CLAIM_EVENTS, ClaimEvent
from domain.ledger.lots import PRIORITY, LentSlice, LotSource, LotTerms, Slice, VoidedSlice
from domain.ledger.shares import BudgetBucket

LeaseOutcome = Literal["closed", "fenced"]
LeaseMode = Literal["bulk", "micro"]
AdjustmentDirection = Literal["credit", "debit"]
UsageSource = Literal["provider", "estimated", "none"]

AMOUNT_NANO_MAX = 2**63 - 1  #: what a bigint column of a read model holds


class Owner(msgspec.Struct, frozen=True, array_like=True):
    """The gateway process that a lease is lent to; an epoch is one life of an instance and never comes back."""

    instance_id: UUID
    epoch: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One call of one deployment. `status` is the upstream's HTTP status, 0 when none was read."""

    deployment_id: UUID
    provider: str
    model: str
    status: int
    outcome: str  #: `ok`, or the class of the failure: `timeout`, `rate`, `overloaded`, ...
    started_us: int
    duration_ms: int
    upstream_request_id: str | None = None
    credential_id: UUID | None = None
    first_byte_ms: int | None = None  #: until the answer's head came
    cost_nano: int | None = None
    """What the provider takes for it, in nano-credits, by the deployment's cost; none if that is not known, or nothing was used."""


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that might have served a request and was not tried."""

    deployment_id: UUID
    provider: str
    reason: str  #: such as `breaker_open`, `not_allowed`, `too_small`


class Units(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was used. Each token is counted in exactly one of the first five fields."""

    input: int = 0  #: fresh prompt tokens
    cached_input: int = 0
    cache_write: int = 0
    cache_write_long: int = 0  #: written to be kept for the provider's longer time
    output: int = 0
    reasoning: int = 0  #: how many of `output` were reasoning; informative
    requests: int = 1
    images: int = 0
    image_size: str = (
        ""  #: as the row of the price names it by which the images were charged, if it names one
    )
    image_quality: str = ""  #: likewise
    audio_ms: int = 0  #: of sound that was heard or made, where it is not counted in tokens
    characters: int = 0  #: of text that was read aloud
    searches: int = 0  #: calls of tools that the provider runs by itself


# --- the wallet stream


class CreditLotGranted(Event, frozen=True, kw_only=True):
    """Credit was added to the account, with a reason."""

    TOPIC: ClassVar[str] = "wallet.credit-lot-granted.v1"

    account_id: UUID
    lot_id: UUID
    amount_nano: int
    source: LotSource
    reason: str
    granted_by: str
    occurred_us: int
    priority: int | msgspec.UnsetType = msgspec.UNSET  #: 0 is spent first, 100 last; unset: 50
    effective_us: int | msgspec.UnsetType = msgspec.UNSET  #: unset: from `occurred_us` on
    expires_us: int | msgspec.UnsetType = msgspec.UNSET  #: unset: never
    aliases: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET  #: of the models it pays for; unset: all
    order_id: UUID | msgspec.UnsetType = msgspec.UNSET  #: the order that bought it; unset: none did
    cost_minor: int | msgspec.UnsetType = msgspec.UNSET  #: what was paid for all of it, without tax
    currency: str | msgspec.UnsetType = msgspec.UNSET  #: of `cost_minor`

    @property
    def terms(self) -> LotTerms:
        return LotTerms(
            source=self.source,
            priority=PRIORITY if self.priority is msgspec.UNSET else self.priority,
            effective_us=self.occurred_us if self.effective_us is msgspec.UNSET else self.effective_us,
            expires_us=None if self.expires_us is msgspec.UNSET else self.expires_us,
            granted_us=self.occurred_us,
            aliases=self.aliases or (),
        )


class CreditLotExpired(Event, frozen=True, kw_only=True):
    """A lot's time was over: what no lease had of it, maybe nothing, is gone. What leases had goes when they let go of it."""

    TOPIC: ClassVar[str] = "wallet.credit-lot-expired.v1"

    account_id: UUID
    lot_id: UUID
    amount_nano: int
    occurred_us: int


class AdjustmentPosted(Event, frozen=True, kw_only=True):
    """What came before was wrong, or hard on the customer: credit was given, as a lot of goodwill, or taken."""

    TOPIC: ClassVar[str] = "wallet.adjustment-posted.v1"

    account_id: UUID
    adjustment_id: UUID  #: of a credit, the lot's id too
    direction: AdjustmentDirection
    amount_nano: int
    reason: str
    requested_by: str  #: `Actor.label`
    occurred_us: int
    source: Literal["goodwill"] = "goodwill"  #: names the other side in the books, in both directions
    added: tuple[Slice, ...] | msgspec.UnsetType = msgspec.UNSET  #: of a credit: the lot that it made
    taken: tuple[Slice, ...] | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: of a debit: from which lots, in their order
    approved_by: str | msgspec.UnsetType = msgspec.UNSET  #: the other operator, if one was needed
    ref: UUID | msgspec.UnsetType = msgspec.UNSET  #: the request, run or fact that it is about

    @property
    def terms(self) -> LotTerms:
        """Of the lot that a credit makes: good for everything, for ever."""
        return LotTerms(
            source="goodwill",
            priority=PRIORITY,
            effective_us=self.occurred_us,
            expires_us=None,
            granted_us=self.occurred_us,
            aliases=(),
        )


class CreditLotVoided(Event, frozen=True, kw_only=True):
    """A lot was taken back: what no lease had of it, maybe nothing, is gone. What leases had goes when they let go of it."""

    TOPIC: ClassVar[str] = "wallet.credit-lot-voided.v1"

    account_id: UUID
    lot_id: UUID
    source: LotSource  #: of the lot: the account in the books that it goes back to
    amount_nano: int
    adjustment_id: UUID
    reason: str
    requested_by: str
    occurred_us: int
    approved_by: str | msgspec.UnsetType = msgspec.UNSET  #: the other operator, if one was needed


class LeaseGranted(Event, frozen=True, kw_only=True):
    """Available credit was lent to one gateway process."""

    TOPIC: ClassVar[str] = "wallet.lease-granted.v1"

    account_id: UUID
    lease_id: UUID
    owner: Owner
    mode: LeaseMode
    slices: tuple[Slice, ...]  #: in the order in which they are spent
    amount_nano: int
    occurred_us: int


class LeaseExtended(Event, frozen=True, kw_only=True):
    """More available credit was lent to a process that already has a lease."""

    TOPIC: ClassVar[str] = "wallet.lease-extended.v1"

    account_id: UUID
    lease_id: UUID
    slices: tuple[Slice, ...]
    amount_nano: int
    occurred_us: int


class LeaseReduced(Event, frozen=True, kw_only=True):
    """A live lease gave back credit that it did not hold for any request."""

    TOPIC: ClassVar[str] = "wallet.lease-reduced.v1"

    account_id: UUID
    lease_id: UUID
    slices: tuple[Slice, ...]  #: what is available again, by lot
    amount_nano: int  #: all that the lease gave back, `expired` and `voided` too
    occurred_us: int
    expired: tuple[Slice, ...] | msgspec.UnsetType = msgspec.UNSET  #: of lots whose time is over: it is gone
    voided: tuple[VoidedSlice, ...] | msgspec.UnsetType = msgspec.UNSET  #: of lots taken back: it is gone


class LeaseRecallRequested(Event, frozen=True, kw_only=True):
    """A process asked the other owners to give back what they do not hold, because it would else refuse a request."""

    TOPIC: ClassVar[str] = "wallet.lease-recall-requested.v1"

    account_id: UUID
    by: Owner
    wanted_nano: int
    occurred_us: int


class LeaseSettled(Event, frozen=True, kw_only=True):
    """A closed or fenced lease was accounted for: what it charged is gone, the rest is available again."""

    TOPIC: ClassVar[str] = "wallet.lease-settled.v1"

    account_id: UUID
    lease_id: UUID
    outcome: LeaseOutcome
    charged_nano: int
    charges: int
    last_version: int  #: version of the lease stream's closing event; no later one exists
    slices: tuple[Slice, ...]  #: what went back, by lot
    returned_nano: int
    occurred_us: int
    expired: tuple[Slice, ...] | msgspec.UnsetType = msgspec.UNSET
    """What was left of lots whose time is over: neither charged nor returned, it is gone."""
    voided: tuple[VoidedSlice, ...] | msgspec.UnsetType = msgspec.UNSET  #: likewise, of lots taken back


# --- the lease stream


class LeaseOpened(Event, frozen=True, kw_only=True):
    """A process owns a lease; it is the only writer of this stream from now on."""

    TOPIC: ClassVar[str] = "lease.opened.v1"

    account_id: UUID
    owner: Owner
    amount_nano: int
    valid_ms: int
    occurred_us: int
    slices: tuple[LentSlice, ...] | msgspec.UnsetType = msgspec.UNSET  #: which lots it is of


class LeaseToppedUp(Event, frozen=True, kw_only=True):
    """The lease's side of `LeaseExtended`, stored after it: the owner may spend more now."""

    TOPIC: ClassVar[str] = "lease.topped-up.v1"

    amount_nano: int
    slices: tuple[LentSlice, ...] | msgspec.UnsetType = msgspec.UNSET
    """Which lots it is of; unset: of the only one that the lease has."""


class LeaseGaveBack(Event, frozen=True, kw_only=True):
    """The lease's side of `LeaseReduced`, stored before it: the owner can spend this no more."""

    TOPIC: ClassVar[str] = "lease.gave-back.v1"

    amount_nano: int
    slices: tuple[Slice, ...] | msgspec.UnsetType = msgspec.UNSET
    """Of which lots; unset: of the only one that the lease has."""


class LeaseShareRaised(Event, frozen=True, kw_only=True):
    """The lease's side of `BudgetShareGranted`, stored after it: the owner may charge more to this bucket now."""

    TOPIC: ClassVar[str] = "lease.share-raised.v1"

    bucket: BudgetBucket
    amount_nano: int


class LeaseShareReturned(Event, frozen=True, kw_only=True):
    """The lease's side of `BudgetShareReturned`, stored before it: the owner can charge this to the bucket no more."""

    TOPIC: ClassVar[str] = "lease.share-returned.v1"

    bucket: BudgetBucket
    amount_nano: int


class RequestAdmitted(Event, frozen=True, kw_only=True):
    """The worst case of a request was set aside; only now may its answer reach the client."""

    TOPIC: ClassVar[str] = "lease.request-admitted.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    stream: bool
    hold_nano: int
    price_version: int
    client_ref: str | None = None  #: the client's own `x-client-request-id`
    occurred_us: int
    slices: tuple[Slice, ...] | msgspec.UnsetType = msgspec.UNSET
    """Of which lots the hold is, in the order in which its charge takes them; unset: of the lease's only one."""
    budgets: tuple[BudgetBucket, ...] | msgspec.UnsetType = msgspec.UNSET
    """The buckets of budgets that the charge will count in; unset: there is no budget."""


class UsageCharged(Event, frozen=True, kw_only=True):
    """The upstream answered and its cost left the account; the rest of the hold came free."""

    TOPIC: ClassVar[str] = "lease.usage-charged.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    hold_nano: int
    charge_nano: int  #: rounded half-even once, never above the hold
    shortfall_nano: int  #: what the usage cost beyond the hold; the operator bears it
    price_version: int
    units: Units
    usage_source: UsageSource
    usage_flags: tuple[str, ...] = ()
    usage_raw: str | None = None  #: the provider's own usage object, numbers only, bounded
    result: str  #: `completed`, `client-left`, `cut`
    provider: str
    deployment_id: UUID
    attempts: tuple[Attempt, ...]
    first_byte_ms: int
    total_ms: int
    occurred_us: int
    operation: str | msgspec.UnsetType = msgspec.UNSET  #: what was asked for; unset: a chat completion
    factor_ppm: int | msgspec.UnsetType = msgspec.UNSET
    """Of the hour and the service tier, on the whole price; unset: none."""
    passed_over: tuple[PassedOver, ...] | msgspec.UnsetType = msgspec.UNSET


class ChargeHeldForReview(Event, frozen=True, kw_only=True):
    """The provider told a usage that cannot be. The charge right before this one stands until an operator has looked at it."""

    TOPIC: ClassVar[str] = "lease.charge-held-for-review.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    provider: str
    hold_nano: int
    charge_nano: int
    reasons: tuple[str, ...]  #: the flags of the usage
    occurred_us: int


class RequestReleased(Event, frozen=True, kw_only=True):
    """The request ended without an answer to pay for; its whole hold came free."""

    TOPIC: ClassVar[str] = "lease.request-released.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    hold_nano: int
    code: str  #: the error code that the client was told
    attempts: tuple[Attempt, ...]
    total_ms: int
    occurred_us: int
    passed_over: tuple[PassedOver, ...] | msgspec.UnsetType = msgspec.UNSET


class RequestAbandoned(Event, frozen=True, kw_only=True):
    """The owner died or was fenced with this request open: charged nothing, its hold came free."""

    TOPIC: ClassVar[str] = "lease.request-abandoned.v1"

    request_id: UUID
    account_id: UUID
    hold_nano: int
    occurred_us: int


class LeaseClosed(Event, frozen=True, kw_only=True):
    """The owner ended its lease; nothing follows in this stream."""

    TOPIC: ClassVar[str] = "lease.closed.v1"

    charged_nano: int
    charges: int
    occurred_us: int


class LeaseFenced(Event, frozen=True, kw_only=True):
    """The reaper ended the lease of a dead or silent owner; nothing follows in this stream."""

    TOPIC: ClassVar[str] = "lease.fenced.v1"

    by: Owner
    reason: str
    charged_nano: int
    charges: int
    occurred_us: int


WalletEvent = (
    CreditLotGranted
    | CreditLotExpired
    | AdjustmentPosted
    | CreditLotVoided
    | LeaseGranted
    | LeaseExtended
    | LeaseReduced
    | LeaseRecallRequested
    | LeaseSettled
    | ClaimEvent
)
LeaseEvent = (
    LeaseOpened
    | LeaseToppedUp
    | LeaseGaveBack
    | LeaseShareRaised
    | LeaseShareReturned
    | RequestAdmitted
    | UsageCharged
    | ChargeHeldForReview
    | RequestReleased
    | RequestAbandoned
    | LeaseClosed
    | LeaseFenced
)

WALLET_EVENTS: tuple[type[Event], ...] = (
    CreditLotGranted,
    CreditLotExpired,
    AdjustmentPosted,
    CreditLotVoided,
    LeaseGranted,
    LeaseExtended,
    LeaseReduced,
    LeaseRecallRequested,
    LeaseSettled,
    *CLAIM_EVENTS,
)
LEASE_EVENTS: tuple[type[Event], ...] = (
    LeaseOpened,
    LeaseToppedUp,
    LeaseGaveBack,
    LeaseShareRaised,
    LeaseShareReturned,
    RequestAdmitted,
    UsageCharged,
    ChargeHeldForReview,
    RequestReleased,
    RequestAbandoned,
    LeaseClosed,
    LeaseFenced,
)
LEDGER_EVENTS: tuple[type[Event], ...] = WALLET_EVENTS + LEASE_EVENTS
