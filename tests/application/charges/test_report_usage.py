"""What a provider tells after a request has ended is rated by the price of its time, and counts once."""

import pytest

from application.catalogue import publish_prices
from application.verify import render_text
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM
from domain.ledger.charges import UsageReportedLate, UsageReportTaken
from domain.ledger.correcting import UsageAbsurd
from domain.ledger.events import AdjustmentPosted, Units
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.application.charges.charge_world import (
    ABANDONED,
    ABSURD,
    OPEN,
    PLAIN,
    RELEASED,
    SECOND,
    ChargeWorld,
)


def late(world: ChargeWorld) -> list[UsageReportedLate]:
    return [event for event in world.events() if isinstance(event, UsageReportedLate)]


@pytest.mark.parametrize(
    ("output", "charged_nano", "borne_nano"), [(11, 0, 0), (5, -12, 0), (29, 36, 0), (50, 38, 40)]
)
def test_the_difference_is_an_adjustment_about_the_request(
    output: int, charged_nano: int, borne_nano: int
) -> None:
    """Up to the hold the customer pays or gets back, the operator bears the rest; 22 were charged."""
    world = ChargeWorld()
    before = world.wallet.available_nano
    taken = world.told(PLAIN, output)
    assert (taken.rated_nano, taken.charged_nano, taken.shortfall_nano) == (
        2 * output,
        charged_nano,
        borne_nano,
    )
    assert world.wallet.available_nano == before - charged_nano
    posted = [event for event in world.events() if isinstance(event, AdjustmentPosted)]
    assert [(one.ref, one.amount_nano) for one in posted] == (
        [(PLAIN, abs(charged_nano))] if charged_nano else []
    )
    assert world.verified().ok, render_text(world.verified())


@pytest.mark.parametrize("request_id", [ABANDONED, RELEASED])
def test_a_request_that_charged_nothing_is_charged_late(request_id: object) -> None:
    """By the price that it was admitted at, whatever has been published since."""
    world = ChargeWorld()
    if request_id is ABANDONED:
        world.end_lease()
    dearer = PriceText(input="1", cached_input="1", cache_write="1", output="1", request="0")
    command = publish_prices.PublishPrices(entries={"big": dearer}, note="dearer")
    publish_prices.handle(command, actor=SYSTEM, ports=world.ports)
    taken = world.told(request_id, 12)  # type: ignore[arg-type]  # one of the two ids
    assert (taken.rated_nano, taken.charged_nano, taken.correction) == (24, 24, "posted")
    (fact,) = late(world)
    assert (fact.provider, fact.units_before, fact.units) == ("acme", Units(requests=0), Units(output=12))
    assert world.verified().ok, render_text(world.verified())


def test_nothing_is_taken_that_is_not_there() -> None:
    """The operator bears it, openly in the books; no balance goes below zero."""
    world = ChargeWorld()
    world.drain()
    taken = world.told(PLAIN, 29)
    assert (taken.charged_nano, taken.shortfall_nano, taken.correction) == (0, 36, None)
    report = world.verified()
    assert report.ok, render_text(report)
    assert report.figures.shortfall_nano == 36


def test_a_report_of_a_provider_counts_once() -> None:
    """Repeated, by whomever, it does nothing; for another request, or with other figures, it is refused."""
    world = ChargeWorld()
    world.told(PLAIN, 20)
    again = world.told(PLAIN, 20, by=SECOND)
    assert (again.charged_nano, again.done.position) == (0, None)
    for request_id, output in ((PLAIN, 21), (RELEASED, 20)):
        with pytest.raises(AlreadyExists):
            world.told(request_id, output)
    assert world.told(PLAIN, 21, report_ref="r-2").charged_nano == 2
    assert len([event for event in world.events() if isinstance(event, UsageReportTaken)]) == 2
    assert world.verified().ok, render_text(world.verified())


def test_a_large_difference_waits_for_another_operator() -> None:
    """Whoever could report usage alone could give credit to a friend."""
    world = ChargeWorld(approval_nano=11)
    before = world.wallet.available_nano
    assert world.told(PLAIN, 5).correction == "waiting"
    assert world.wallet.available_nano == before
    assert world.told(ABSURD, 27, report_ref="r-2").correction == "posted"
    assert world.verified().ok, render_text(world.verified())


def test_what_cannot_be_is_refused_whole() -> None:
    """Far beyond the worst case, by another provider, of a request that is open or not known."""
    world = ChargeWorld()
    before = len(world.events())
    with pytest.raises(UsageAbsurd):
        world.told(PLAIN, 121)
    with pytest.raises(BadField):
        world.told(PLAIN, -1)
    with pytest.raises(WrongState):
        world.told(OPEN, 1)
    with pytest.raises(NotFound):
        world.told(world.account_id, 1)
    assert len(world.events()) == before


def test_two_reports_at_once_are_one_after_the_other() -> None:
    """The second is a difference to the first, whoever was faster."""
    world = ChargeWorld()
    before = world.wallet.available_nano
    world.ports.store.before_append = lambda: world.told(PLAIN, 20, report_ref="r-2", by=SECOND)  # type: ignore[attr-defined]  # of the fake
    assert world.told(PLAIN, 25).charged_nano == 10
    assert [(one.charge_before_nano, one.charge_nano) for one in late(world)] == [(22, 40), (40, 50)]
    assert world.wallet.available_nano == before - 28
    assert world.verified().ok, render_text(world.verified())
