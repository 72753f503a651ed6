"""From a customer's wish to the operator's word, and the refund that follows."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from application.command import Ports
from application.ledger.change_wallet import change_wallet
from application.recharge.change_order import load_order
from application.recharge.show_order import RefundRequestShown, show_order
from application.refunds import (
    accept_request,
    decline_request,
    file_request,
    request_refund,
    withdraw_request,
)
from application.refunds.accept_request import AcceptRefundRequest
from application.refunds.decline_request import DeclineRefundRequest
from application.refunds.file_request import FileRefundRequest, askable_minor
from application.refunds.request_refund import RequestRefund
from application.refunds.result import Refunded
from application.refunds.withdraw_request import WithdrawRefundRequest
from domain.fact import Actor
from domain.ledger.events import Owner
from domain.ledger.lending import grant_lease, reduce_lease
from domain.recharge.refund_requests import RefundRequestOpen
from domain.refusal import NotFound, WrongState
from tests.application.checkout.provider import FakeProvider
from tests.application.recharge.test_orders import store_of
from tests.application.recharge.world import ANNA, furnished, ordered
from tests.application.refunds.test_refunds import BOUGHT, ID, credited, free_nano
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import NOON_US

CUSTOMER = Actor("member", UUID(int=91))
LEASE = UUID(int=92)


def file(ports: Ports, refund_id: UUID = ID) -> UUID:
    command = FileRefundRequest(order_id=ORDER, reason="by_mistake", refund_id=refund_id)
    return file_request.handle(command, actor=CUSTOMER, ports=ports).id


def accept(ports: Ports, amount_minor: int | None = None) -> Refunded:
    command = AcceptRefundRequest(order_id=ORDER, refund_id=ID, amount_minor=amount_minor)
    return accept_request.handle(command, actor=ANNA, ports=ports)


def shown(ports: Ports) -> RefundRequestShown:
    return show_order(ports.store, ORDER).refund_requests[-1]


def test_a_request_becomes_a_refund_at_the_provider() -> None:
    """Nothing moves before an operator agrees; then the money goes back once, however often it is said."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    assert askable_minor(ports.store, ORDER) == 11_900
    assert [file(ports), file(ports)] == [ID, ID]
    assert (free_nano(ports), provider.refunds, askable_minor(ports.store, ORDER)) == (BOUGHT, {}, 0)
    assert (shown(ports).state, shown(ports).refund) == ("open", None)
    for _ in range(2):
        assert accept(ports).state == "succeeded"
    assert (free_nano(ports), len(provider.refunds)) == (0, 1)
    one = shown(ports)
    assert (one.state, one.refund, one.refund_minor) == ("accepted", "succeeded", 11_900)
    assert load_order(ports.store, ORDER).status == "refunded"


def test_the_refund_has_a_part_of_it_if_the_operator_says_so() -> None:
    """And the customer may ask for the rest."""
    ports = credited(FakeProvider())
    file(ports)
    accept(ports, 5_950)
    assert free_nano(ports) == BOUGHT // 2
    assert askable_minor(ports.store, ORDER) == 5_950
    assert file(ports, UUID(int=99)) == UUID(int=99)


def test_a_refund_without_the_request_closes_it() -> None:
    """The order shows how far the refund is that answers it."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    file(ports)
    command = RequestRefund(order_id=ORDER, reason="by phone", amount_minor=500, refund_id=UUID(int=98))
    request_refund.handle(command, actor=ANNA, ports=ports)
    one = shown(ports)
    assert (one.state, one.refund, one.refund_minor) == ("accepted", "succeeded", 500)
    assert askable_minor(ports.store, ORDER) == 11_400


def test_what_gateways_have_counts_as_unspent_and_is_asked_for_in_the_end() -> None:
    """A gateway that gives it back when the request is accepted has none of it spent."""
    ports = credited(FakeProvider())
    about: dict[str, Any] = {"account_id": ACCOUNT, "lease_id": LEASE, "now_us": NOON_US}
    change_wallet(
        ports.store,
        ACCOUNT,
        lambda wallet: grant_lease(
            wallet, owner=Owner(UUID(int=93), 1), mode="bulk", amount_nano=BOUGHT, **about
        ),
    )
    assert askable_minor(ports.store, ORDER) == 11_900
    file(ports)

    def call_back(account_id: UUID, /) -> bool:
        assert account_id == ACCOUNT
        change_wallet(ports.store, ACCOUNT, lambda wallet: reduce_lease(wallet, amount_nano=BOUGHT, **about))
        return True

    done = accept(replace(ports, call_back=call_back))
    assert (done.amount_minor, done.credits_nano) == (11_900, BOUGHT)


def test_withdrawn_and_declined_requests_move_nothing() -> None:
    """The customer reads why; another request may follow."""
    ports = credited(FakeProvider())
    file(ports)
    withdraw = WithdrawRefundRequest(order_id=ORDER, refund_id=ID)
    withdraw_request.handle(withdraw, actor=CUSTOMER, ports=ports)
    assert shown(ports).state == "withdrawn"
    with pytest.raises(WrongState):
        accept(ports)
    second = UUID(int=98)
    file(ports, second)
    decline = DeclineRefundRequest(order_id=ORDER, refund_id=second, reason="after three months")
    decline_request.handle(decline, actor=ANNA, ports=ports)
    assert (shown(ports).state, shown(ports).declined_because) == ("declined", "after three months")
    assert free_nano(ports) == BOUGHT
    assert askable_minor(ports.store, ORDER) == 11_900


def test_only_one_of_two_at_once_is_filed() -> None:
    """Whoever comes second decides on what is true by then."""
    ports = credited(FakeProvider())
    store_of(ports).before_append = lambda: file(ports, UUID(int=97))
    with pytest.raises(RefundRequestOpen):
        file(ports)


def test_nothing_is_asked_for_of_what_was_not_bought() -> None:
    """An order that is not paid, or none: credit that was given has no order."""
    ports = furnished()
    ordered(ports)
    assert askable_minor(ports.store, ORDER) == 0
    for way in (file, accept):
        with pytest.raises(WrongState):
            way(ports)
    command = FileRefundRequest(order_id=UUID(int=5), reason="other")
    with pytest.raises(NotFound):
        file_request.handle(command, actor=CUSTOMER, ports=ports)
    with pytest.raises(NotFound):
        accept(credited(FakeProvider()))
