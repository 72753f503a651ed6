"""The buyer in an event: sealed for the account's buyer, who is a subject apart from the account (ADR 44)."""

from typing import Final
from uuid import UUID

import msgspec

from application.privacy import PersonalData
from domain.invoicing.billing import Billing, BillingProfileSet, existing
from domain.invoicing.document import Issued
from domain.invoicing.parties import Buyer
from domain.privacy import Sealed, SubjectErased

_PROFILE: Final = BillingProfileSet.TOPIC


def seal_profile(personal: PersonalData, buyer: Buyer, *, subject_id: UUID) -> Sealed:
    """The envelope of a billing profile; raises as `PersonalData.seal`."""
    return personal.seal(subject_id, msgspec.json.encode(buyer), place=_PROFILE)


def profile_and_buyer(personal: PersonalData, billing: Billing) -> tuple[BillingProfileSet, Buyer]:
    """Whom documents are for now.

    Raises:
        NotFound: the account has no billing profile.
        SubjectErased: its buyer was erased.
        VaultError: see `PersonalData.open`.
    """
    profile = existing(billing)
    opened = personal.open(profile.subject_id, profile.pii, place=_PROFILE)
    if opened is None:
        raise SubjectErased("the buyer was erased")
    return profile, msgspec.json.decode(opened, type=Buyer)


def seal_for(personal: PersonalData, profile: BillingProfileSet, buyer: Buyer, *, topic: str) -> Sealed:
    """The buyer for a document; raises as `PersonalData.seal`."""
    return personal.seal(profile.subject_id, msgspec.json.encode(buyer), place=topic)


def buyer_of(personal: PersonalData, issued: Issued) -> Buyer | None:
    """Whom a document is for; none once they were erased. Raises as `PersonalData.open`."""
    opened = personal.open(issued.subject_id, issued.pii, place=issued.TOPIC)
    return None if opened is None else msgspec.json.decode(opened, type=Buyer)
