"""Who issues the documents of orders."""

from uuid import UUID

import pytest

from domain.fact import Stamp
from domain.invoicing.automation import Invoicing, InvoicingSet, evolve, set_invoicing
from domain.refusal import BadField

SELLER, OTHER = UUID(int=1), UUID(int=2)
NOW, LATER = Stamp(now_us=100, actor="operator:anna"), Stamp(now_us=200, actor="operator:anna")


def told(invoicing: Invoicing, *, stamp: Stamp = NOW, **changes: object) -> list[InvoicingSet]:
    given: dict[str, object] = {"seller_id": SELLER, "locale": "en", "from_us": None}
    return set_invoicing(invoicing, stamp=stamp, **(given | changes))  # type: ignore[arg-type]  # of many kinds


def test_orders_count_from_when_it_is_switched_on() -> None:
    """Those that were credited before may have been billed by hand. Another seller or language changes nothing about that."""
    assert not Invoicing().is_on
    (fact,) = told(Invoicing())
    on = evolve(Invoicing(), fact)
    assert on.is_on
    assert fact.from_us == 100
    assert told(on, stamp=LATER) == []
    (other,) = told(on, stamp=LATER, seller_id=OTHER)
    assert other.from_us == 100


def test_it_can_be_switched_off_and_begins_anew() -> None:
    """What was credited between is not billed by itself."""
    on = evolve(Invoicing(), told(Invoicing())[0])
    off = evolve(on, told(on, seller_id=None)[0])
    assert not off.is_on
    (again,) = told(off, stamp=LATER)
    assert again.from_us == 200


def test_the_past_may_be_billed_if_that_is_said() -> None:
    """From any time on; one that cannot be meant is refused."""
    (fact,) = told(Invoicing(), from_us=0)
    assert fact.from_us == 0
    with pytest.raises(BadField):
        told(Invoicing(), from_us=-1)
