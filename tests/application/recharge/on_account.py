"""An account that may buy on account, and operators who deal with what it owes."""

from typing import Any, Final
from uuid import UUID

from application.command import Ports
from application.invoicing import open_series, set_billing, set_invoicing, set_seller
from application.postpaid import approve_limit, propose_limit
from application.postpaid.approve_limit import ApprovePostpaidLimit
from application.postpaid.propose_limit import ProposePostpaidLimit
from application.recharge.place_order import Placed
from domain.fact import SYSTEM
from domain.invoicing.parties import TaxId
from domain.recharge.order import INVOICE
from tests.application.recharge.world import ANNA, BERT, furnished, ordered
from tests.domain.recharge.orders import ACCOUNT

SELLER: Final = UUID(int=0x5E11E4)


def invoiced(ports: Ports, account_id: UUID = ACCOUNT) -> Ports:
    """A seller whose invoices are made by themselves, and the account's billing profile."""
    seller = set_seller.SetSeller(
        seller_id=SELLER,
        legal_name="Example GmbH",
        address=("1 Example Street", "10115 Berlin"),
        country="DE",
        zone="Europe/Berlin",
        tax_ids=(TaxId(kind="vat", value="DE123456789"),),
        email="billing@example.com",
    )
    set_seller.handle(seller, actor=SYSTEM, ports=ports)
    for kind, prefix in (("invoice", "INV-"), ("credit_note", "CN-")):
        series = open_series.OpenSeries(seller_id=SELLER, kind=kind, prefix=prefix)  # type: ignore[arg-type]  # literals
        open_series.handle(series, actor=SYSTEM, ports=ports)
    billing = set_billing.SetBilling(
        account_id=account_id,
        buyer_name="Acme",
        address=("2 Sample Road", "Town"),
        country="DE",
        email="ada@example.com",
        is_business=False,
    )
    set_billing.handle(billing, actor=SYSTEM, ports=ports)
    set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=ports)
    return ports


def agree(
    ports: Ports,
    *,
    account_id: UUID = ACCOUNT,
    limit_minor: int = 20_000,
    currency: str = "EUR",
    days_to_pay: int = 30,
) -> Ports:
    """A limit that Anna has proposed and Bert approved."""
    wanted = ProposePostpaidLimit(
        account_id=account_id,
        currency=currency,
        limit_minor=limit_minor,
        days_to_pay=days_to_pay,
        reason="has paid for years",
    )
    proposal = propose_limit.handle(wanted, actor=ANNA, ports=ports)
    approval = ApprovePostpaidLimit(account_id=account_id, proposal_id=proposal.id)
    approve_limit.handle(approval, actor=BERT, ports=ports)
    return ports


def trusted(ports: Ports | None = None, **limit: Any) -> Ports:
    """All that it takes to buy on account."""
    return agree(invoiced(ports or furnished()), **limit)


def on_account(ports: Ports, **changes: Any) -> Placed:
    """An order on account for 100.00 EUR and 19 % on top, unless said otherwise."""
    return ordered(ports, **({"provider": INVOICE} | changes))
