"""Orders that operators place and settle by forms, for tests of what comes after."""

from uuid import UUID

from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in

OFFER = {
    "currency": "EUR",
    "credits_per_unit": "1",
    "approval": "50",
    "least": "5",
    "most": "1,000.00",
    "package.0": "100",
    "package_bonus.0": "5",
    "tier.0": "200",
    "tier_percent.0": "2.5",
    "tax_country.0": "de",
    "tax_percent.0": "19",
}


def place(world: World, token: str, money: str, *, country: str = "US") -> UUID:
    """An order to be paid by bank transfer, from where no tax is due."""
    opened = world.post(
        "/console/do/orders/place",
        token=token,
        account_id=str(ACCOUNT),
        currency="EUR",
        provider="manual",
        money=money,
        country=country,
        then="/console/orders/{id}",
    )
    return UUID(opened.headers["location"].rpartition("/")[2])


def transfer(order_id: UUID, money: str) -> dict[str, str]:
    return {
        "order_id": str(order_id),
        "payment_ref": f"bank-{money}",
        "money": money,
        "currency": "EUR",
        "evidence": "statement 7",
    }


def credited(world: World, money: str) -> UUID:
    """An order below the threshold for two, paid and credited; whoever settles it is signed in."""
    token = sign_in(world, "finance")
    assert do(world, "offers/set", token, **OFFER) == ""
    order_id = place(world, token, money)
    assert do(world, "orders/settle", token, **transfer(order_id, money)) == ""
    return order_id
