"""What a part of an order's payment is in credit and in tax.

Credit goes back in proportion to the money, bonus included, each time rounded down: it never adds up to more than was
bought, whatever the parts and their order. Tax is what the parts so far have in it all together, rounded half to even, less
what they had before; so all parts together have the tax of the whole.
"""

from domain.recharge.events import RechargeCredited
from domain.recharge.offers import TaxQuote
from domain.recharge.order import Order
from domain.refusal import WrongState
from domain.rounding import divide_half_even


def credited(order: Order) -> RechargeCredited:
    """How the order was credited.

    Raises:
        WrongState: it was not.
    """
    if order.credited is None:
        raise WrongState("order", order.status)
    return order.credited


def credits_of(order: Order, amount_minor: int) -> int:
    """The credit that so much of the payment bought, and no more than has not gone back yet."""
    bought = credited(order)
    share_nano = bought.credits_nano * amount_minor // bought.gross_minor
    return max(min(share_nano, bought.credits_nano - order.gone_nano), 0)


def money_of(order: Order, credits_nano: int) -> int:
    """What so much of the credit cost, tax included; rounded down."""
    bought = credited(order)
    return credits_nano * bought.gross_minor // bought.credits_nano


def tax_of(order: Order, amount_minor: int, *, gone_minor: int) -> TaxQuote:
    """The tax in so much of the payment; `gone_minor` has gone back before, with the order's `gone_tax_minor` in it."""
    bought = credited(order)
    back_minor = min(gone_minor + amount_minor, bought.gross_minor)
    so_far_minor = divide_half_even(bought.tax.tax_minor * back_minor, bought.gross_minor)
    tax_minor = max(min(so_far_minor - order.gone_tax_minor, amount_minor), 0)
    return TaxQuote(
        country=bought.tax.country,
        rate_ppm=bought.tax.rate_ppm,
        net_minor=amount_minor - tax_minor,
        tax_minor=tax_minor,
    )


def no_tax(order: Order) -> TaxQuote:
    """The tax of nothing."""
    bought = credited(order)
    return TaxQuote(country=bought.tax.country, rate_ppm=bought.tax.rate_ppm, net_minor=0, tax_minor=0)
