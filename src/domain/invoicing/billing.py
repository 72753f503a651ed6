"""Whom documents of an account are for. A stream and a subject of its own: a law may want it kept longer than the account."""

from typing import ClassVar, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.invoicing.parties import VatEvidence, country_code
from domain.privacy import Sealed
from domain.refusal import NotFound
from domain.text import REASON_CHARS_MAX, printable


class BillingProfileSet(Fact, frozen=True, kw_only=True):
    """Documents are for this buyer from now on; those that were issued stay as they are."""

    TOPIC: ClassVar[str] = "billing.profile-set.v1"

    account_id: UUID
    subject_id: UUID  #: whose key seals the buyer, here and on documents
    country: str
    is_business: bool
    vat: VatEvidence | None
    pii: Sealed


class BillingDataErased(Fact, frozen=True, kw_only=True):
    """The key of the buyer is destroyed: no document shows them any more, and every hash and proof still holds."""

    TOPIC: ClassVar[str] = "billing.data-erased.v1"

    account_id: UUID
    key_id: UUID | None
    reason: str


BillingEvent = BillingProfileSet | BillingDataErased
BILLING_EVENTS: tuple[type[Fact], ...] = (BillingProfileSet, BillingDataErased)


class Billing(msgspec.Struct, frozen=True):
    """The fold of the stream."""

    profile: BillingProfileSet | None = None
    erased: bool = False


def billing_stream(account_id: UUID) -> UUID:
    """The stream of an account's billing profile."""
    return stream_of(account_id, "billing")


def buyer_subject(account_id: UUID) -> UUID:
    """The subject whose key seals the account's buyer."""
    return stream_of(account_id, "buyer")


def evolve(billing: Billing, event: BillingEvent) -> Billing:
    """The billing profile after one more fact."""
    match event:
        case BillingProfileSet():
            return Billing(event, billing.erased)
        case BillingDataErased():
            return Billing(None, True)  # noqa: FBT003  # the second field
        case _:
            assert_never(event)


def set_profile(
    _billing: Billing,
    *,
    account_id: UUID,
    country: str,
    is_business: bool,
    vat: VatEvidence | None,
    pii: Sealed,
    stamp: Stamp,
) -> list[BillingEvent]:
    """Make documents for this buyer. Envelopes do not compare: the same buyer again is stored again.

    Raises:
        BadField: the country or the evidence cannot be used.
    """
    if vat is not None:
        printable(vat.reference, field="vat")
    return [
        BillingProfileSet(
            account_id=account_id,
            subject_id=buyer_subject(account_id),
            country=country_code(country),
            is_business=is_business,
            vat=vat,
            pii=pii,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def note_erasure(
    billing: Billing, *, account_id: UUID, key_id: UUID | None, reason: str, stamp: Stamp
) -> list[BillingEvent]:
    """Record that the buyer's key is gone, once. It is a fact, so it must be gone by now.

    Raises:
        BadField: the reason is empty or cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if billing.erased:
        return []
    return [
        BillingDataErased(
            account_id=account_id, key_id=key_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def existing(billing: Billing) -> BillingProfileSet:
    """The profile, or `NotFound`."""
    if billing.profile is None:
        raise NotFound("billing profile")
    return billing.profile
