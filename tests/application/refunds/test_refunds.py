"""From an operator's word to the money at the provider, and the credit behind it."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from application.checkout.ports import ProviderUnavailable
from application.checkout.submit_refund import submit_refund
from application.checkout.sweep_refunds import sweep_refunds
from application.command import Ports
from application.eventlog import LogUnavailable
from application.ledger.change_wallet import change_wallet
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from application.recharge.show_order import show_order
from application.refunds import approve_refund, confirm_refund, deny_refund, fail_refund, request_refund
from application.refunds.approve_refund import ApproveRefund
from application.refunds.confirm_refund import ConfirmRefund
from application.refunds.deny_refund import DenyRefund
from application.refunds.fail_refund import FailRefund
from application.refunds.request_refund import RequestRefund
from application.refunds.result import Refunded
from domain.fact import SYSTEM
from domain.ledger.claims import NotEnoughUnspent
from domain.ledger.events import Owner
from domain.ledger.lending import grant_lease, reduce_lease
from domain.recharge.refunding import RefundTooLarge
from domain.refusal import AlreadyExists, NotFound, SecondOperatorNeeded, WrongState
from tests.application.checkout.provider import FakeProvider, deliver, message, work
from tests.application.checkout.test_webhooks import PAID, bought
from tests.application.recharge.test_orders import settled, store_of
from tests.application.recharge.world import ANNA, BERT, furnished, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER

ID = UUID(int=81)
BOUGHT = 100_000_000_000
HALF = RequestRefund(order_id=ORDER, amount_minor=5_950, reason="asked for", refund_id=ID)


class _UnderWay:
    """The one order has a refund."""

    def orders_with_refunds(self, *, limit: int) -> list[UUID]:
        return [ORDER]


def credited(provider: FakeProvider, **changes: Any) -> Ports:
    """An order that was paid at the provider; refunds need nobody else."""
    ports = replace(bought(provider, PAID), **({"approval_nano": 10**15} | changes))
    deliver(ports, message())
    work(ports)
    return ports


def request(ports: Ports, command: RequestRefund = HALF) -> Refunded:
    return request_refund.handle(command, actor=ANNA, ports=ports)


def sweep(ports: Ports) -> int:
    return sweep_refunds(_UnderWay(), checkouts=ports.checkouts, store=ports.store, clock=ports.clock)


def state(ports: Ports) -> str:
    return load_order(ports.store, ORDER).refunds[ID].state


def free_nano(ports: Ports) -> int:
    return load_wallet(ports.store, ACCOUNT).wallet.available_nano


def test_a_refund_is_made_at_the_provider_and_takes_its_credit() -> None:
    """Half the money, half the credit; the same command again changes nothing."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    for _ in range(2):
        done = request(ports)
        assert (done.state, done.amount_minor, done.credits_nano) == ("succeeded", 5_950, BOUGHT // 2)
    (made,) = provider.refunds.values()
    assert (made.amount_minor, made.refund_id, made.payment_ref) == (5_950, ID, "pi_1")
    assert free_nano(ports) == BOUGHT // 2
    shown = show_order(ports.store, ORDER)
    assert (shown.status, shown.refunded_minor, shown.refundable_minor) == ("partly_refunded", 5_950, 5_950)
    assert [(one.state, one.refund_ref) for one in shown.refunds] == [("succeeded", "re_1")]


def test_the_same_top_up_is_not_refunded_twice() -> None:
    """Neither by the command again, nor by another one, nor by a second message: more than was paid never goes back."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    request(ports, RequestRefund(order_id=ORDER, reason="all of it", refund_id=ID))
    request(ports, RequestRefund(order_id=ORDER, reason="all of it", refund_id=ID))
    with pytest.raises(WrongState):
        request(ports, RequestRefund(order_id=ORDER, reason="all of it"))
    with pytest.raises(RefundTooLarge):
        request(ports, RequestRefund(order_id=ORDER, reason="all of it", amount_minor=1))
    provider.objects["re_1"] = list(provider.refunds.values())
    for number in (2, 3):
        deliver(ports, message(f"evt_{number}", "re_1", kind="refund.updated"))
    work(ports)
    assert len(provider.refunds) == 1
    assert load_order(ports.store, ORDER).refunded_minor == 11_900
    assert (free_nano(ports), load_wallet(ports.store, ACCOUNT).wallet.owed_nano) == (0, 0)


@pytest.mark.parametrize("forgets_keys", [False, True])
def test_a_crash_at_any_step_makes_one_refund(forgets_keys: bool) -> None:
    """Before the provider is asked, after it was and before that is stored, after all: whoever goes on finds what is there."""
    provider = FakeProvider()
    provider.refund_status, provider.forgets_keys = "succeeded", forgets_keys
    ports = credited(provider)
    provider.is_down = True
    assert request(ports).state == "approved"
    assert (free_nano(ports), provider.refunds) == (BOUGHT // 2, {})
    sweep(ports)
    assert state(ports) == "approved"
    provider.is_down = False
    store_of(ports).before_append = lambda: setattr(store_of(ports), "is_down", True)
    with pytest.raises(LogUnavailable):
        submit_refund(ORDER, ID, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    store_of(ports).is_down = False
    assert len(provider.refunds) == 1
    assert state(ports) == "approved"
    for _ in range(2):
        assert sweep(ports) == 1
    assert len(provider.refunds) == 1
    assert state(ports) == "succeeded"
    assert free_nano(ports) == BOUGHT // 2


def test_two_that_submit_at_once_make_one_refund() -> None:
    """The provider's key is the same, and the order takes one word of it."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    provider.is_down = True
    request(ports)
    provider.is_down = False

    def other() -> None:
        submit_refund(ORDER, ID, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)

    store_of(ports).before_append = other
    other()
    assert len(provider.refunds) == 1
    assert state(ports) == "succeeded"
    assert load_wallet(ports.store, ACCOUNT).wallet.taken_nano == BOUGHT // 2


def test_what_the_provider_refuses_gives_the_credit_back() -> None:
    """With its reason on the order; another refund may be asked for."""
    provider = FakeProvider()
    provider.refuses_refunds = True
    ports = credited(provider)
    assert request(ports).state == "failed"
    assert free_nano(ports) == BOUGHT
    (failed,) = [
        fact for fact in show_order(ports.store, ORDER).facts if fact.topic == "order.refund-failed.v1"
    ]
    assert (failed.said["reason"], failed.actor) == ("charge_disputed", "provider:stripe")
    with pytest.raises(AlreadyExists):
        request(ports, replace(HALF, amount_minor=1))


def test_a_refund_that_takes_its_time_ends_by_a_message_or_the_sweep() -> None:
    """It may fail in the end, after it had been told to have succeeded too."""
    provider = FakeProvider()
    ports = credited(provider)
    assert request(ports).state == "submitted"
    key, pending = next(iter(provider.refunds.items()))
    provider.refunds[key] = replace(pending, status="succeeded")
    sweep(ports)
    assert state(ports) == "succeeded"
    provider.objects["re_1"] = (replace(pending, status="failed", reason="lost_or_stolen_card"),)
    deliver(ports, message("evt_2", "re_1", kind="refund.failed"))
    work(ports)
    assert state(ports) == "failed"
    assert free_nano(ports) == BOUGHT


def test_much_waits_for_a_second_operator() -> None:
    """Its credit is set aside meanwhile; nothing is asked of the provider before the second one agrees."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider, approval_nano=BOUGHT // 2 - 1)
    assert request(ports).state == "requested"
    assert (free_nano(ports), provider.refunds) == (BOUGHT // 2, {})
    assert show_order(ports.store, ORDER).waits_for_approval
    agree = ApproveRefund(order_id=ORDER, refund_id=ID)
    with pytest.raises(SecondOperatorNeeded):
        approve_refund.handle(agree, actor=ANNA, ports=ports)
    assert approve_refund.handle(agree, actor=BERT, ports=ports).state == "succeeded"
    assert approve_refund.handle(agree, actor=BERT, ports=ports).done.events == ()


def test_what_is_denied_is_the_customers_again() -> None:
    """And was never asked for at the provider."""
    provider = FakeProvider()
    ports = credited(provider, approval_nano=0)
    request(ports)
    no = DenyRefund(order_id=ORDER, refund_id=ID, reason="no")
    assert deny_refund.handle(no, actor=BERT, ports=ports).state == "failed"
    assert (free_nano(ports), provider.refunds) == (BOUGHT, {})


def test_a_bank_transfer_goes_back_by_hand() -> None:
    """The operator says that it did, or that it could not; no provider is asked."""
    ports = replace(furnished(), approval_nano=10**15)
    ordered(ports)
    settled(ports)
    assert request(ports).state == "approved"
    said = ConfirmRefund(order_id=ORDER, refund_id=ID, refund_ref="B-9", evidence="statement 12")
    assert confirm_refund.handle(said, actor=BERT, ports=ports).state == "succeeded"
    back = FailRefund(order_id=ORDER, refund_id=ID, reason="account closed")
    assert fail_refund.handle(back, actor=BERT, ports=ports).state == "failed"
    assert free_nano(ports) == BOUGHT


def test_gateways_are_asked_for_what_they_have_of_the_credit() -> None:
    """What they give back in time is refunded; what requests hold is not, and the numbers say so."""
    provider = FakeProvider()
    provider.refund_status = "succeeded"
    ports = credited(provider)
    about: dict[str, Any] = {"account_id": ACCOUNT, "lease_id": UUID(int=5), "now_us": 1}
    lent_nano = BOUGHT * 8 // 10
    change_wallet(
        ports.store,
        ACCOUNT,
        lambda wallet: grant_lease(
            wallet, owner=Owner(UUID(int=6), 1), mode="bulk", amount_nano=lent_nano, **about
        ),
    )
    with pytest.raises(NotEnoughUnspent) as no:
        request(ports)
    assert (no.value.available_nano, no.value.lent_nano) == (BOUGHT - lent_nano, lent_nano)

    def call_back(account_id: UUID, /) -> bool:
        assert account_id == ACCOUNT
        change_wallet(
            ports.store, ACCOUNT, lambda wallet: reduce_lease(wallet, amount_nano=lent_nano // 2, **about)
        )
        return True

    assert request(replace(ports, call_back=call_back)).state == "succeeded"


def test_an_order_that_is_not_there_is_refused() -> None:
    """And so is the refund that nobody asked for."""
    ports = credited(FakeProvider())
    with pytest.raises(NotFound):
        request(ports, replace(HALF, order_id=OTHER))
    with pytest.raises(NotFound):
        approve_refund.handle(ApproveRefund(order_id=ORDER, refund_id=ID), actor=SYSTEM, ports=ports)


def test_a_provider_in_the_other_mode_is_not_asked() -> None:
    """Its keys would pay back another payment, or none."""
    provider = FakeProvider()
    ports = credited(provider)
    provider.mode = "test"
    assert request(ports).state == "approved"
    with pytest.raises(WrongState):
        submit_refund(ORDER, ID, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    provider.mode, provider.is_down = "live", True
    with pytest.raises(ProviderUnavailable):
        submit_refund(ORDER, ID, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
