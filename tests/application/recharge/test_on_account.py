"""From a limit to the payment of what was bought within it."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from application.accounts import suspend_account
from application.auto_recharge import save_method
from application.command import Ports
from application.eventlog import RecordedEvent
from application.invoicing import set_invoicing
from application.ledger.change_wallet import change_wallet
from application.ledger.wallet_reader import load_wallet
from application.postpaid import lift_limit
from application.postpaid.stream import load_postpaid
from application.recharge import approve_settlement, settle_order
from application.recharge.change_order import PaymentTaken, load_order
from application.recharge.on_account import NoInvoicePossible
from application.recharge.settle_order import SettleOrder
from application.refunds import request_refund
from application.refunds.request_refund import RequestRefund
from domain.event import Event
from domain.fact import SYSTEM
from domain.ledger.events import Owner
from domain.ledger.lending import grant_lease
from domain.money.postings import load_money_rules, money_postings
from domain.postpaid.events import AccountOrderPaid, BoughtOnAccount, PostpaidLimitApproved
from domain.postpaid.owing import DAY_US, NotOnAccount, PaymentOverdue, PostpaidLimitReached
from domain.recharge.events import PaymentClaimed
from domain.recharge.order import order_stream
from domain.recharge.settling import SettlementMismatch
from domain.refusal import BadField, Refusal, WrongState
from domain.topics import REGISTRY
from tests.application.recharge.on_account import agree, invoiced, on_account, trusted
from tests.application.recharge.test_orders import store_of
from tests.application.recharge.world import ANNA, BERT, furnished, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER
from tests.fakes import ManualClock

SECOND = UUID(int=911)
RULES = load_money_rules()


def settle(ports: Ports, order_id: UUID = ORDER, **changes: Any) -> settle_order.Settled:
    given: dict[str, Any] = {
        "order_id": order_id,
        "payment_ref": f"B-{order_id.int}",
        "amount_minor": load_order(ports.store, order_id).owed_minor,
        "currency": "EUR",
        "evidence": "line 4",
    }
    return settle_order.handle(SettleOrder(**(given | changes)), actor=ANNA, ports=ports)


def take_back(ports: Ports, order_id: UUID = ORDER, amount_minor: int | None = None) -> Any:
    """It needs nobody else."""
    command = RequestRefund(order_id=order_id, amount_minor=amount_minor, reason="not paid")
    return request_refund.handle(command, actor=ANNA, ports=replace(ports, approval_nano=10**15))


def events(ports: Ports) -> list[Event]:
    return [REGISTRY.decode(one.topic, one.state) for one in store_of(ports).log]


def receivable(ports: Ports) -> int:
    """By the books of money."""
    postings = [one for event in events(ports) for one in money_postings(RULES, event)]
    debit = sum(one.amount_minor for one in postings if one.debit == "customer_receivable")
    return debit - sum(one.amount_minor for one in postings if one.credit == "customer_receivable")


def test_it_is_placed_credited_and_counted_in_one_append() -> None:
    """With a lot like any other; the customer owes it and may spend it."""
    ports = trusted()
    placed = on_account(ports)
    assert (placed.status, placed.amount_minor) == ("credited", 11_900)
    assert load_wallet(ports.store, ACCOUNT).wallet.granted_nano == 100_000_000_000
    assert (load_postpaid(ports.store, ACCOUNT).unpaid_minor, receivable(ports)) == (11_900, 11_900)
    appended: list[RecordedEvent] = store_of(ports).log[-4:]
    topics = [one.topic for one in appended]
    assert topics == [
        "order.placed.v1",
        "order.credited.v1",
        "wallet.credit-lot-granted.v1",
        "postpaid.bought.v1",
    ]
    days_us = placed.expires_us - ports.clock.now_us()
    assert 30 * DAY_US < days_us <= 31 * DAY_US


def test_placed_again_it_is_the_same_order() -> None:
    """However the limit is by then."""
    ports = trusted(limit_minor=11_900)
    on_account(ports)
    again = on_account(ports)
    assert (again.done.events, load_postpaid(ports.store, ACCOUNT).unpaid_minor) == ((), 11_900)


def test_the_limit_holds_over_orders_and_payment_makes_room() -> None:
    """Refused, nothing is placed, credited or owed."""
    ports = trusted()
    on_account(ports)
    before = len(store_of(ports).log)
    with pytest.raises(PostpaidLimitReached) as refused:
        on_account(ports, order_id=SECOND)
    assert (refused.value.required_minor, refused.value.left_minor) == (11_900, 8_100)
    assert len(store_of(ports).log) == before
    paid = settle(ports)
    assert (paid.status, paid.waits_for_approval, receivable(ports)) == ("credited", False, 0)
    on_account(ports, order_id=SECOND)


def test_a_transfer_pays_for_one_order() -> None:
    """On account or not; told twice, it is paid once."""
    ports = trusted(limit_minor=100_000)
    on_account(ports)
    on_account(ports, order_id=SECOND)
    settle(ports, payment_ref="B")
    settle(ports, payment_ref="B", amount_minor=11_900)
    with pytest.raises(PaymentTaken):
        settle(ports, SECOND, payment_ref="B")
    assert load_postpaid(ports.store, ACCOUNT).unpaid_minor == 11_900
    assert sum(isinstance(one, AccountOrderPaid) for one in events(ports)) == 1
    assert sum(isinstance(one, PaymentClaimed) for one in events(ports)) == 1


def test_a_large_transfer_waits_for_a_second_operator() -> None:
    """As any; until then it is owed."""
    ports = trusted(limit_minor=1_000_000)
    on_account(ports, amount_minor=500_000)
    assert settle(ports).waits_for_approval
    assert receivable(ports) == 595_000
    approve_settlement.handle(approve_settlement.ApproveSettlement(order_id=ORDER), actor=BERT, ports=ports)
    assert (receivable(ports), load_postpaid(ports.store, ACCOUNT).purchases) == (0, {})


def test_a_part_is_refused_and_nothing_is_paid() -> None:
    """Whoever pays less still owes all of it."""
    ports = trusted()
    on_account(ports)
    with pytest.raises(SettlementMismatch):
        settle(ports, amount_minor=11_000)
    assert receivable(ports) == 11_900


def test_an_overdue_order_stops_the_next_one_and_unspent_credit_is_taken_back() -> None:
    """What was spent stays owed, and prepaid orders are still sold."""
    ports = trusted(limit_minor=100_000)
    due_us = on_account(ports).expires_us
    spend(ports, 40_000_000_000)
    later = replace(ports, clock=ManualClock(due_us))
    with pytest.raises(PaymentOverdue):
        on_account(later, order_id=SECOND)
    assert ordered(later, order_id=SECOND).status == "placed"
    taken = take_back(later)
    assert (taken.state, taken.amount_minor, taken.credits_nano) == ("succeeded", 7_140, 60_000_000_000)
    assert (receivable(ports), load_postpaid(ports.store, ACCOUNT).unpaid_minor) == (4_760, 4_760)
    assert load_wallet(ports.store, ACCOUNT).wallet.owed_nano == 0
    settle(ports)
    assert receivable(ports) == 0


def spend(ports: Ports, amount_nano: int) -> None:
    """Lend it to a gateway, which does not give it back."""
    change_wallet(
        ports.store,
        ACCOUNT,
        lambda wallet: grant_lease(
            wallet,
            account_id=ACCOUNT,
            lease_id=UUID(int=10),
            amount_nano=amount_nano,
            owner=Owner(UUID(int=9), 1),
            mode="bulk",
            now_us=ports.clock.now_us(),
        ),
    )


def test_without_a_limit_or_an_invoice_nothing_is_on_account() -> None:
    """The account needs both, and to be open."""
    ports = furnished()
    with pytest.raises(NotOnAccount):
        on_account(ports)
    with pytest.raises(NoInvoicePossible):
        on_account(agree(ports))
    ports = invoiced(ports)
    set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=None), actor=SYSTEM, ports=ports)
    with pytest.raises(NoInvoicePossible):
        on_account(ports)
    ports = trusted()
    suspend_account.handle(
        suspend_account.SuspendAccount(account_id=ACCOUNT, reason="x"), actor=SYSTEM, ports=ports
    )
    with pytest.raises(WrongState):
        on_account(ports)


def test_lifting_the_limit_leaves_what_is_bought() -> None:
    """It is spent, due and paid as before."""
    ports = trusted()
    on_account(ports)
    lift_limit.handle(
        lift_limit.LiftPostpaidLimit(account_id=ACCOUNT, reason="closes"), actor=ANNA, ports=ports
    )
    with pytest.raises(NotOnAccount):
        on_account(ports, order_id=SECOND)
    assert receivable(ports) == 11_900
    settle(ports)
    assert receivable(ports) == 0


def test_automatic_recharges_do_not_use_it() -> None:
    """What may be unpaid would grow without anybody's word; the refusal says so in the field."""
    ports = trusted()
    with pytest.raises(BadField) as refused:
        save_method.handle(
            save_method.SaveMethod(account_id=ACCOUNT, provider="invoice"), actor=SYSTEM, ports=ports
        )
    assert refused.value.field == "provider"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.sampled_from([500, 10_000, 16_807])),
        st.tuples(st.just("pay"), st.integers(0, 3)),
        st.tuples(st.just("back"), st.tuples(st.integers(0, 3), st.sampled_from([None, 1, 119, 5_000]))),
        st.tuples(st.just("limit"), st.sampled_from([600, 20_000, 50_000])),
        st.tuples(st.just("wait"), st.integers(1, 20)),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_nobody_owes_more_than_was_agreed(steps: list[tuple[str, Any]]) -> None:
    """At each purchase all that is unpaid, tax included, is within the limit; the books, the orders and the limit's own stream have the
    same of it at any time.
    """
    ports, number = trusted(), 0
    for kind, what in steps:
        try:
            if kind == "buy":
                number += 1
                on_account(ports, order_id=UUID(int=5_000 + number), amount_minor=what)
            elif kind == "pay":
                settle(ports, UUID(int=5_001 + what))
            elif kind == "back":
                take_back(ports, UUID(int=5_001 + what[0]), what[1])
            elif kind == "limit":
                agree(ports, limit_minor=what)
            else:
                ports.clock.move(what * 86_400)  # type: ignore[attr-defined]  # the clock of tests
        except Refusal:
            pass
        known = load_postpaid(ports.store, ACCOUNT)
        orders = [
            load_order(ports.store, UUID(int=5_000 + one))
            for one in range(1, number + 1)
            if placed(ports, one)
        ]
        owed = {one.order_id: one.owed_minor for one in orders if one.owed_minor}
        assert owed == {order_id: one.unpaid_minor for order_id, one in known.purchases.items()}
        assert receivable(ports) == known.unpaid_minor
    limit_minor = 0
    for event in events(ports):
        if isinstance(event, PostpaidLimitApproved):
            limit_minor = event.limit_minor
        elif isinstance(event, BoughtOnAccount):
            assert event.unpaid_minor <= limit_minor


def placed(ports: Ports, number: int) -> bool:
    return bool(ports.store.read_stream(order_stream(UUID(int=5_000 + number))))
