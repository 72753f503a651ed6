"""Say whom the documents of an account are for."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, execute, stamp
from application.invoicing.buyers import seal_profile
from application.invoicing.streams import load_billing
from domain.fact import Actor
from domain.invoicing import billing
from domain.invoicing.billing import Billing, billing_stream, buyer_subject
from domain.invoicing.parties import Buyer, TaxId, VatEvidence, checked_buyer
from domain.operators import Permission
from domain.refusal import BadField


class SetBilling(Command, frozen=True, kw_only=True):
    """The buyer on an account's documents; documents that were issued stay as they are."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    buyer_name: str
    address: tuple[str, ...]
    country: str
    tax_id: TaxId | None = None
    email: str = ""
    is_business: bool = False
    vat: VatEvidence | None = None

    def __repr__(self) -> str:
        return f"SetBilling({self.account_id})"


def handle(command: SetBilling, *, actor: Actor, ports: Ports) -> Done:
    """Seal it, then record the envelope.

    Raises:
        NotFound: there is no such account.
        BadField: something in it cannot be used; or the evidence is of no VAT number.
        SubjectErased, VaultError: nothing was recorded; see `PersonalData.seal`.
    """
    buyer = checked_buyer(
        Buyer(
            name=command.buyer_name,
            address=command.address,
            country=command.country,
            tax_id=command.tax_id,
            email=command.email,
        )
    )
    if command.vat is not None and not _has_vat_number(buyer):
        raise BadField("vat", "is what the register said of a VAT number, and there is none")
    load_account(ports.store, command.account_id)
    vat = command.vat or _kept_evidence(buyer, ports, command.account_id)
    pii = seal_profile(ports.personal, buyer, subject_id=buyer_subject(command.account_id))
    at = stamp(ports, actor)
    return execute(
        ports.store,
        billing_stream(command.account_id),
        Billing(),
        billing.evolve,
        lambda found: billing.set_profile(
            found,
            account_id=command.account_id,
            country=buyer.country,
            is_business=command.is_business,
            vat=vat,
            pii=pii,
            stamp=at,
        ),
    )


def _has_vat_number(buyer: Buyer) -> bool:
    return buyer.tax_id is not None and buyer.tax_id.kind == "vat"


def _kept_evidence(buyer: Buyer, ports: Ports, account_id: UUID) -> VatEvidence | None:
    """What the register said stays as long as the number and the country do: a new address is no reason to ask again."""
    profile = load_billing(ports.store, account_id).profile
    if profile is None or profile.vat is None:
        return None
    opened = ports.personal.open(profile.subject_id, profile.pii, place=profile.TOPIC)
    if opened is None:
        return None
    before = msgspec.json.decode(opened, type=Buyer)
    same = (before.tax_id, before.country) == (buyer.tax_id, buyer.country)
    return profile.vat if same and _has_vat_number(buyer) else None
