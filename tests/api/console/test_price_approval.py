"""Prices that wait for a second operator, on the page of prices."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from application.catalogue import publish_prices
from application.catalogue.price_proposals import load_proposals
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM
from tests.api.console.conftest import World, make_world
from tests.api.console.forms import do, sign_in

PRICE = {"alias": "big", "price.input": "1", "price.output": "2", "note": "dearer"}
APPROVE, DENY = "/console/do/prices/approve", "/console/do/prices/deny"


@pytest.fixture
def shop(database_url: str) -> Iterator[World]:
    """`big` has a price, and further ones need two operators."""
    with make_world(database_url, prices_need_approval="on") as world:
        half = PriceText(input="0.5", cached_input="0.5", cache_write="0.5", output="1", request="0")
        publish(world, half)
        yield world


def publish(world: World, price: PriceText) -> None:
    """As it was before two were needed."""
    ports = replace(world.process.ports, prices_need_approval=False)
    command = publish_prices.PublishPrices(entries={"big": price}, note="before")
    publish_prices.handle(command, actor=SYSTEM, ports=ports)
    world.refresh()


def waiting_id(world: World) -> str:
    waiting = load_proposals(world.process.store).waiting
    assert waiting is not None
    return str(waiting.proposed.proposal_id)


def test_a_price_is_proposed_looked_at_and_approved(shop: World) -> None:
    """Everybody sees the difference; only another operator who may set prices is offered to approve it."""
    token = sign_in(shop, "operator")
    assert "Proposed prices" not in shop.get("/console/prices").text
    assert "It waits until another operator approves it." in shop.get("/console/models/big").text
    assert do(shop, "prices/publish", token, **PRICE, markup="120") == ""
    proposal_id = waiting_id(shop)
    page = shop.get("/console/prices").text
    assert "Proposed prices" in page
    assert "+140%" in page
    assert "You proposed it, so somebody else approves it." in page
    assert (APPROVE in page, DENY in page, "Withdraw" in page) == (False, True, True)
    assert do(shop, "prices/approve", token, proposal_id=proposal_id)
    sign_in(shop, "support")
    page = shop.get("/console/prices").text
    assert ("+140%" in page, APPROVE in page, DENY in page) == (True, False, False)
    token = sign_in(shop, "finance")
    page = shop.get("/console/prices").text
    assert (APPROVE in page, DENY in page) == (True, True)
    assert '"alias"' in shop.get("/console/prices?table=proposed&as=json").text
    assert len(shop.process.directory.prices["big"]) == 1
    assert do(shop, "prices/approve", token, proposal_id=proposal_id) == ""
    assert [one.markup_ppm for one in shop.process.directory.prices["big"]] == [1_000_000, 1_200_000]
    assert "Proposed prices" not in shop.get("/console/prices").text
    assert "+140%" in shop.get("/console/prices/2").text
    shop.project()
    assert "Proposed prices" in shop.get("/console/audit?kind=price+proposal").text


def test_a_proposal_on_older_prices_is_only_denied(shop: World) -> None:
    """The page says why, and offers nothing else; a proposer takes it back."""
    token = sign_in(shop, "operator")
    assert do(shop, "prices/publish", token, **PRICE) == ""
    publish(shop, PriceText(input="3", cached_input="3", cache_write="3", output="3", request="0"))
    proposal_id = waiting_id(shop)
    finance = sign_in(shop, "finance")
    page = shop.get("/console/prices").text
    assert "Other prices were published since." in page
    assert (APPROVE in page, DENY in page) == (False, True)
    assert "Other prices were published since." in do(
        shop, "prices/approve", finance, proposal_id=proposal_id
    )
    token = sign_in(shop, "operator")
    assert do(shop, "prices/deny", token, proposal_id=proposal_id, reason="too late") == ""
    assert "Proposed prices" not in shop.get("/console/prices").text
