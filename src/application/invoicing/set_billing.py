"""Say whom the documents of an account are for."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, execute, stamp
from application.invoicing.buyers import seal_profile
from domain.fact import Actor
from domain.invoicing import billing
from domain.invoicing.billing import Billing, billing_stream, buyer_subject
from domain.invoicing.parties import Buyer, TaxId, VatEvidence, checked_buyer
from domain.operators import Permission


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
        BadField: something in it cannot be used.
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
    load_account(ports.store, command.account_id)
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
            vat=command.vat,
            pii=pii,
            stamp=at,
        ),
    )
