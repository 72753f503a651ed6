"""What customers see of things that operators see more of: no lease, no deployment, no operator, no cost of ours."""

from uuid import UUID

import msgspec

from application.queries import RequestRow, RequestState, ReviewState
from application.recharge.show_order import OrderDetail, RefundRequestShown
from application.reports.reviews import ReviewRow
from domain.ledger.charges import DisputeCause
from domain.recharge.offers import BonusTier, FreeAmounts, Offer, Package, TaxQuote, TaxRate
from domain.recharge.order import OrderStatus


class CustomerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request. What the log has not said (yet) is null; the charge is 0 unless `state` is `charged`."""

    request_id: UUID
    key_id: UUID | None
    alias: str | None
    operation: str | None
    stream: bool | None
    client_ref: str | None
    state: RequestState
    hold_nano: int
    charge_nano: int
    price_version: int | None
    input_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    images: int | None
    audio_ms: int | None
    characters: int | None
    searches: int | None
    usage_source: str | None
    result: str | None
    code: str | None
    provider: str | None
    first_byte_ms: int | None
    total_ms: int | None
    admitted_us: int | None
    ended_us: int | None
    last_position: int


class CustomerRequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, newest first. `next_before` is the `before_position` of the next page; null on the last."""

    items: tuple[CustomerRequest, ...]
    next_before: int | None


class CustomerReview(msgspec.Struct, frozen=True, kw_only=True):
    """One charge that is looked at, or was: because its usage cannot be, or for a `cause` that somebody here has told."""

    request_id: UUID
    key_id: UUID
    alias: str
    charge_nano: int
    state: ReviewState
    cause: DisputeCause | None
    disputed_us: int | None
    right_nano: (
        int | None
    )  #: what was decided that the request costs; the difference is in the statement once it is posted
    decided_us: int | None
    position: int


class CustomerReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first. `next_after` is the `after_position` of the next page; null on the last."""

    items: tuple[CustomerReview, ...]
    next_after: int | None


class OrderStep(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an order, and when."""

    topic: str
    occurred_us: int


class CustomerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Money is minor units of the currency."""

    order_id: UUID
    provider: str
    mode: str
    status: OrderStatus
    amount_minor: int
    tax: TaxQuote
    currency: str
    exponent: int
    credits_nano: int
    bonus_nano: int
    owed_minor: int  #: of one on account, which is credited before it is paid; overdue from `expires_us` on
    refunded_minor: int
    refund_requests: tuple[RefundRequestShown, ...]
    lot_id: UUID | None
    reference: str
    expires_us: int
    steps: tuple[OrderStep, ...]


class CustomerOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What credit costs in a currency: so many nano-credits (`rate_num`) for so many minor units (`rate_den`)."""

    currency: str
    rate_num: int
    rate_den: int
    packages: tuple[Package, ...]
    free: FreeAmounts | None
    bonus: tuple[BonusTier, ...]
    taxes: tuple[TaxRate, ...]
    tax_included: bool


class CustomerOffers(msgspec.Struct, frozen=True, kw_only=True):
    """Every currency that credit can be bought with, and the ways to pay."""

    items: tuple[CustomerOffer, ...]
    providers: tuple[str, ...]


def request_of(row: RequestRow) -> CustomerRequest:
    return CustomerRequest(**{name: getattr(row, name) for name in CustomerRequest.__struct_fields__})


def review_of(row: ReviewRow) -> CustomerReview:
    return CustomerReview(**{name: getattr(row, name) for name in CustomerReview.__struct_fields__})


def order_of(detail: OrderDetail) -> CustomerOrder:
    fields = {name: getattr(detail, name) for name in CustomerOrder.__struct_fields__ if name != "steps"}
    steps = tuple(OrderStep(topic=one.topic, occurred_us=one.occurred_us) for one in detail.facts)
    return CustomerOrder(**fields, steps=steps)


def offer_of(offer: Offer) -> CustomerOffer:
    return CustomerOffer(**{name: getattr(offer, name) for name in CustomerOffer.__struct_fields__})
