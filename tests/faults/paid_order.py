"""A customer's order that is paid by bank transfer and refunded in part, with the documents that follow by themselves."""

from typing import Final
from uuid import UUID

from application.command import Ports
from application.invoicing import open_series, set_billing, set_invoicing, set_seller
from application.recharge import place_order, set_offer, settle_order
from application.refunds import confirm_refund, request_refund
from domain.fact import SYSTEM, Actor
from domain.recharge.offers import TaxRate

AMOUNT_MINOR: Final = 3_000
REFUND_MINOR: Final = 1_190  #: tax included
_NANO_A_CENT: Final = 10_007  #: no part of it comes out even
_CURRENCY: Final = "CHF"


class PaidOrder:
    """Placed, paid and credited when it is made."""

    def __init__(self, ports: Ports, account_id: UUID, *, by: Actor) -> None:
        self._ports = ports
        self._by = by
        self._sell(account_id)
        command = place_order.PlaceOrder(
            account_id=account_id, currency=_CURRENCY, amount_minor=AMOUNT_MINOR, country="CH"
        )
        placed = place_order.handle(command, actor=SYSTEM, ports=ports)
        self.order_id, self.credits_nano = placed.order_id, placed.credits_nano
        paid = settle_order.SettleOrder(
            order_id=self.order_id,
            payment_ref=f"transfer {self.order_id}",
            amount_minor=placed.amount_minor,
            currency=_CURRENCY,
            evidence="statement 11",
        )
        assert settle_order.handle(paid, actor=by, ports=ports).status == "credited"

    def refund(self) -> int:
        """A part of it goes back by the bank; the credit that goes with it, in nano-credits."""
        command = request_refund.RequestRefund(
            order_id=self.order_id, reason="asked for", amount_minor=REFUND_MINOR
        )
        asked = request_refund.handle(command, actor=self._by, ports=self._ports)
        said = confirm_refund.ConfirmRefund(
            order_id=self.order_id,
            refund_id=asked.refund_id,
            refund_ref="transfer back",
            evidence="statement 12",
        )
        done = confirm_refund.handle(said, actor=self._by, ports=self._ports)
        assert done.state == "succeeded"
        return done.credits_nano

    def _sell(self, account_id: UUID) -> None:
        """A seller with series, a buyer, and credit on offer."""
        ports, seller_id = self._ports, self._ports.ids.new()
        seller = set_seller.SetSeller(
            seller_id=seller_id,
            legal_name="Example AG",
            address=("1 Example Street", "8000 Zurich"),
            country="CH",
            zone="Europe/Zurich",
            email="billing@example.com",
        )
        set_seller.handle(seller, actor=SYSTEM, ports=ports)
        invoices = open_series.OpenSeries(seller_id=seller_id, kind="invoice", prefix="INV-")
        notes = open_series.OpenSeries(seller_id=seller_id, kind="credit_note", prefix="CN-")
        for series in (invoices, notes):
            open_series.handle(series, actor=SYSTEM, ports=ports)
        buyer = set_billing.SetBilling(
            account_id=account_id,
            buyer_name="Month",
            address=("2 Sample Road", "8001 Zurich"),
            country="CH",
            email="month@example.com",
            is_business=False,
        )
        set_billing.handle(buyer, actor=SYSTEM, ports=ports)
        set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=seller_id), actor=SYSTEM, ports=ports)
        offer = set_offer.SetRechargeOffer(
            currency=_CURRENCY,
            rate_num=_NANO_A_CENT,
            min_minor=100,
            max_minor=100_000,
            taxes=(TaxRate(country="CH", rate_ppm=81_000),),
        )
        set_offer.handle(offer, actor=SYSTEM, ports=ports)
