"""Refunds that customers ask for."""

from typing import Any
from uuid import UUID

import pytest

from domain.fact import Stamp
from domain.recharge.events import OrderEvent, RefundApproved, RefundRequested
from domain.recharge.refund_requests import (
    REQUESTS_MAX,
    RefundRequestOpen,
    accept,
    decline,
    file,
    withdraw,
)
from domain.recharge.refund_requests import (
    request as request_directly,
)
from domain.recharge.refunding import RefundTooLarge, request
from domain.recharge.request_events import (
    RefundRequestAccepted,
    RefundRequestDeclined,
    RefundRequestFiled,
    RefundRequestWithdrawn,
)
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.domain.recharge.orders import AT, NOW_US, new_order
from tests.domain.recharge.returns import Till, dispute
from tests.domain.recharge.test_refunding import BOUGHT, BY_ANNA, CREDIT, ID, OTHER_ID, asked, paid

BY_CUSTOMER = Stamp(now_us=NOW_US, actor="member:1")


def filed(till: Till, refund_id: UUID = ID, **changes: Any) -> list[OrderEvent]:
    given: dict[str, Any] = {"reason": "not_needed", "unspent_nano": till.left_nano, "stamp": BY_CUSTOMER}
    return file(till.order, refund_id, **(given | changes))


def asking(till: Till | None = None) -> Till:
    """A paid order whose customer wants the rest of it back."""
    till = till or paid()
    till.store(filed(till))
    return till


def test_what_is_unspent_is_asked_for_and_nothing_set_aside() -> None:
    """The order says since when and why; asked again, by its id, nothing more happens."""
    till = paid().spend(35 * CREDIT)
    (fact,) = till.store(filed(till))
    assert isinstance(fact, RefundRequestFiled)
    assert (fact.unspent_minor, fact.currency, fact.actor) == (11_900 * 70 // 105, "EUR", "member:1")
    assert (till.order.open_request, till.left_nano, till.wallet.frozen_nano) == (ID, 70 * CREDIT, 0)
    assert filed(till) == []
    assert till.order.status == "credited"


def test_one_request_of_an_order_is_open_at_a_time() -> None:
    """A second one names the first; once that is over another may be filed, but not for ever."""
    till = asking()
    with pytest.raises(RefundRequestOpen) as refused:
        filed(till, OTHER_ID)
    assert refused.value.refund_id == ID
    till.store(withdraw(till.order, ID, stamp=BY_CUSTOMER))
    for number in range(1, REQUESTS_MAX):
        till.store(filed(till, UUID(int=number)))
        till.store(decline(till.order, UUID(int=number), reason="no", stamp=BY_ANNA))
    with pytest.raises(WrongState, match="asked for 10 times"):
        filed(till, OTHER_ID)


def test_where_nothing_can_go_back_nothing_is_asked_for() -> None:
    """Not paid, spent, under dispute, or refunded already."""
    with pytest.raises(WrongState):
        file(new_order(), ID, reason="other", unspent_nano=BOUGHT, stamp=BY_CUSTOMER)
    spent = paid().spend(BOUGHT)
    disputed = paid().see(dispute(amount_minor=11_900))
    refunded = paid()
    refunded.store(request(refunded.order, asked(11_900), stamp=BY_ANNA))
    for till in (spent, disputed, refunded):
        with pytest.raises(WrongState, match="used up"):
            filed(till, OTHER_ID)
    with pytest.raises(AlreadyExists):
        filed(refunded, ID)


def test_what_is_accepted_is_a_refund_with_the_requests_id() -> None:
    """In one append with its credit; all that is unspent by now, not by then. Doing it again does nothing."""
    till = asking().spend(35 * CREDIT)
    wanted = asked(None, unspent_nano=till.left_nano)
    accepted, requested, approved = till.store(accept(till.order, wanted, stamp=BY_ANNA))
    assert isinstance(accepted, RefundRequestAccepted)
    assert isinstance(requested, RefundRequested)
    assert isinstance(approved, RefundApproved)
    assert (requested.refund_id, requested.amount_minor) == (ID, 11_900 * 70 // 105)
    assert till.order.requests[ID].state == "accepted"
    assert till.order.open_request is None
    assert accept(till.order, wanted, stamp=BY_ANNA) == []


def test_a_refund_without_the_request_is_the_answer_to_it() -> None:
    """Of whatever part, in one append; the customer may ask again. What is refused, or was made before, answers nothing."""
    till = asking()
    with pytest.raises(RefundTooLarge):
        request_directly(till.order, asked(11_901, refund_id=OTHER_ID), stamp=BY_ANNA)
    wanted = asked(500, refund_id=OTHER_ID)
    accepted, requested, _approved = till.store(request_directly(till.order, wanted, stamp=BY_ANNA))
    assert isinstance(accepted, RefundRequestAccepted)
    assert isinstance(requested, RefundRequested)
    assert (accepted.refund_id, accepted.made_as, requested.refund_id) == (ID, OTHER_ID, OTHER_ID)
    assert (till.order.requests[ID].state, till.order.requests[ID].made_as) == ("accepted", OTHER_ID)
    with pytest.raises(WrongState, match="accepted"):
        withdraw(till.order, ID, stamp=BY_CUSTOMER)
    again = UUID(int=77)
    till.store(filed(till, again))
    assert request_directly(till.order, wanted, stamp=BY_ANNA) == []
    assert till.order.open_request == again
    till.store(decline(till.order, again, reason="no", stamp=BY_ANNA))
    facts = till.store(request_directly(till.order, asked(1, refund_id=UUID(int=78)), stamp=BY_ANNA))
    assert isinstance(facts[0], RefundRequested)


def test_what_cannot_be_refunded_leaves_the_request_open() -> None:
    """Nothing is stored: more than is left, or nothing any more."""
    till = asking()
    with pytest.raises(RefundTooLarge):
        accept(till.order, asked(11_901), stamp=BY_ANNA)
    with pytest.raises(WrongState, match="used up"):
        accept(till.order, asked(None, unspent_nano=0), stamp=BY_ANNA)
    assert till.order.open_request == ID


def test_a_large_one_waits_for_a_second_operator() -> None:
    """The customer's request is accepted; the refund waits as any other does."""
    till = asking()
    facts = till.store(accept(till.order, asked(approval_nano=1), stamp=BY_ANNA))
    assert [type(fact) for fact in facts] == [RefundRequestAccepted, RefundRequested]
    assert till.order.waits_for_second


def test_a_request_is_decided_once() -> None:
    """Each way again does nothing; another way is refused."""
    ways: dict[str, Any] = {
        "withdrawn": lambda order: withdraw(order, ID, stamp=BY_CUSTOMER),
        "declined": lambda order: decline(order, ID, reason="used up since", stamp=BY_ANNA),
        "accepted": lambda order: accept(order, asked(), stamp=BY_ANNA),
    }
    for state, way in ways.items():
        till = asking()
        till.store(way(till.order))
        assert till.order.requests[ID].state == state
        assert way(till.order) == []
        for other in ways.keys() - {state}:
            with pytest.raises(WrongState, match=state):
                ways[other](till.order)


def test_who_declines_says_why() -> None:
    """In words that can be shown, for the customer reads them."""
    till = asking()
    with pytest.raises(BadField):
        decline(till.order, ID, reason="\x00", stamp=BY_ANNA)
    (fact,) = till.store(decline(till.order, ID, reason="used up since", stamp=BY_ANNA))
    assert isinstance(fact, RefundRequestDeclined)
    assert till.order.requests[ID].declined_because == "used up since"
    assert till.order.requests[ID].decided_us == NOW_US


def test_a_request_that_is_not_there_is_not_found() -> None:
    """Whatever is to become of it."""
    order = paid().order
    for decide in (
        lambda: withdraw(order, ID, stamp=AT),
        lambda: decline(order, ID, reason="no", stamp=AT),
        lambda: accept(order, asked(), stamp=AT),
    ):
        with pytest.raises(NotFound):
            decide()
    (fact,) = withdraw(asking().order, ID, stamp=BY_CUSTOMER)
    assert isinstance(fact, RefundRequestWithdrawn)
