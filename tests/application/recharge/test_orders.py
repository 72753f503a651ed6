"""Commands about orders, with the wallet beside them."""

from collections.abc import Callable
from uuid import UUID

import pytest

from application.accounts.close_account import CloseAccount
from application.accounts.close_account import handle as close_account
from application.command import Contended, Ports
from application.eventlog import LogUnavailable
from application.ledger.wallet_reader import load_wallet, wallet_stream
from application.recharge import approve_settlement, cancel_order, deny_settlement, settle_order
from application.recharge.change_order import PaymentTaken, change_order, load_order, payment_stream
from application.recharge.expire_orders import expire_due
from application.recharge.list_offers import list_offers
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from application.recharge.show_order import show_order
from domain.fact import SYSTEM, Actor, Stamp
from domain.ledger.events import CreditLotGranted
from domain.recharge.events import OrderEvent
from domain.recharge.observing import observe_payment
from domain.recharge.order import Order, existing, lot_of, order_stream
from domain.recharge.placing import TRANSFER_US
from domain.refusal import BadField, NotFound, SecondOperatorNeeded, WrongState
from domain.topics import REGISTRY
from tests.application.recharge.world import ANNA, BERT, furnished, ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, seen
from tests.fakes import ManualClock, MemoryEventStore

SECOND_ORDER = UUID(int=911)


def settled(
    ports: Ports,
    *,
    actor: Actor = ANNA,
    order_id: UUID = ORDER,
    amount_minor: int = 11_900,
    ref: str = "B-1",
    currency: str = "EUR",
) -> settle_order.Settled:
    command = settle_order.SettleOrder(
        order_id=order_id, payment_ref=ref, amount_minor=amount_minor, currency=currency, evidence="s 118"
    )
    return settle_order.handle(command, actor=actor, ports=ports)


def store_of(ports: Ports) -> MemoryEventStore:
    assert isinstance(ports.store, MemoryEventStore)
    return ports.store


def lots(ports: Ports) -> list[CreditLotGranted]:
    """All that was ever granted."""
    events = [REGISTRY.decode(one.topic, one.state) for one in store_of(ports).log]
    return [event for event in events if isinstance(event, CreditLotGranted)]


def test_an_order_says_what_to_pay_and_how_to_name_it() -> None:
    """And asked again with the same id, it says the same."""
    ports = furnished()
    placed = ordered(ports)
    assert (placed.amount_minor, placed.tax_minor, placed.credits_nano) == (11_900, 1_900, 100_000_000_000)
    assert placed.status == "placed"
    again = ordered(ports)
    assert (again.order_id, again.reference, again.done.events) == (ORDER, placed.reference, ())


@pytest.mark.parametrize(
    "changes", [{"account_id": UUID(int=5)}, {"currency": "USD"}, {"provider": "paypal"}]
)
def test_what_is_not_there_is_not_found(changes: dict[str, object]) -> None:
    """No such account, nothing on offer for the currency, no such way to pay; nothing is stored."""
    ports = furnished()
    before = store_of(ports).head_position()
    with pytest.raises(NotFound):
        ordered(ports, **changes)
    assert store_of(ports).head_position() == before


def test_a_closed_account_buys_nothing() -> None:
    """It could not spend it."""
    ports = furnished()
    close_account(CloseAccount(account_id=ACCOUNT, reason="left"), actor=SYSTEM, ports=ports)
    with pytest.raises(WrongState):
        ordered(ports)


def test_credit_and_order_are_one_append() -> None:
    """The lot knows its order and its cost without tax, and the payment is claimed; all at once."""
    ports = furnished()
    ordered(ports)
    before = len(store_of(ports).log)
    assert settled(ports).status == "credited"
    topics = [one.topic for one in store_of(ports).log[before:]]
    assert topics == [
        "order.payment-captured.v1",
        "order.credited.v1",
        "payment.claimed.v1",
        "wallet.credit-lot-granted.v1",
    ]
    (lot,) = lots(ports)
    assert (lot.lot_id, lot.amount_nano, lot.source) == (lot_of(ORDER), 100_000_000_000, "paid")
    assert (lot.order_id, lot.cost_minor, lot.currency) == (ORDER, 10_000, "EUR")
    assert load_wallet(ports.store, ACCOUNT).wallet.available_nano == 100_000_000_000


def test_confirming_twice_credits_once() -> None:
    """The second answer says that it is credited."""
    ports = furnished()
    ordered(ports)
    settled(ports)
    again = settled(ports)
    assert (again.status, again.done.events) == ("credited", ())
    assert len(lots(ports)) == 1


def test_one_transfer_pays_for_one_order() -> None:
    """The same line of the bank's statement for a second order is refused, and nothing of it stored."""
    ports = furnished()
    ordered(ports)
    ordered(ports, order_id=SECOND_ORDER)
    settled(ports)
    with pytest.raises(PaymentTaken):
        settled(ports, order_id=SECOND_ORDER)
    assert load_order(ports.store, SECOND_ORDER).credited is None
    assert len(lots(ports)) == 1


def test_a_large_transfer_is_credited_by_the_second_operator() -> None:
    """Until then the wallet is empty, and the one who proposed cannot help it."""
    ports = furnished()
    ordered(ports, amount_minor=600_000)
    assert settled(ports, amount_minor=714_000).waits_for_approval
    command = approve_settlement.ApproveSettlement(order_id=ORDER)
    with pytest.raises(SecondOperatorNeeded):
        approve_settlement.handle(command, actor=ANNA, ports=ports)
    assert lots(ports) == []
    assert approve_settlement.handle(command, actor=BERT, ports=ports).events
    assert not approve_settlement.handle(command, actor=BERT, ports=ports).events
    assert [lot.amount_nano for lot in lots(ports)] == [6_000_000_000_000]


def test_a_denied_transfer_credits_nothing() -> None:
    """The order waits on."""
    ports = furnished()
    ordered(ports, amount_minor=600_000)
    settled(ports, amount_minor=714_000)
    command = deny_settlement.DenySettlement(order_id=ORDER, reason="not ours")
    deny_settlement.handle(command, actor=BERT, ports=ports)
    assert show_order(ports.store, ORDER).status == "placed"
    assert lots(ports) == []


def test_a_cancelled_order_that_is_paid_is_credited() -> None:
    """By hand, for a transfer: its money is there."""
    ports = furnished()
    ordered(ports)
    command = cancel_order.CancelOrder(order_id=ORDER, reason="changed my mind")
    cancel_order.handle(command, actor=SYSTEM, ports=ports)
    assert settled(ports).status == "credited"


@pytest.mark.parametrize("elsewhere", ["order", "wallet"])
def test_another_writer_in_between_means_deciding_again(elsewhere: str) -> None:
    """A race for the order credits once; one for the wallet keeps both changes."""
    ports = furnished()
    ordered(ports)
    ordered(ports, order_id=SECOND_ORDER)
    store = store_of(ports)
    rivals: dict[str, Callable[[], object]] = {
        "order": lambda: settled(ports),
        "wallet": lambda: settled(ports, order_id=SECOND_ORDER, ref="B-2"),
    }
    store.before_append = rivals[elsewhere]
    settled(ports)
    assert len(lots(ports)) == (1 if elsewhere == "order" else 2)


@pytest.mark.parametrize(
    "stream", [order_stream(ORDER), wallet_stream(ACCOUNT), payment_stream("manual", "live", "B-1")]
)
def test_a_rival_between_two_reads_means_deciding_again(stream: UUID) -> None:
    """The order was read before the rival came and the wallet or the claim after it: no refusal, but what is true now."""
    ports = furnished()
    ordered(ports)
    store = store_of(ports)
    store.before_read[stream] = lambda: settled(ports)
    assert settled(ports).status == "credited"
    assert len(lots(ports)) == 1


def test_a_log_that_is_away_leaves_nothing_behind() -> None:
    """Neither the order's half nor the wallet's."""
    ports = furnished()
    ordered(ports)
    store = store_of(ports)
    store.is_down = True
    with pytest.raises(LogUnavailable):
        settled(ports)
    store.is_down = False
    assert (load_order(store, ORDER).status, lots(ports)) == ("placed", [])


def test_writers_that_are_always_faster_are_given_up_on() -> None:
    """After a bounded number of tries, with nothing stored."""
    ports = furnished()
    ordered(ports)
    at = Stamp(now_us=ports.clock.now_us(), actor="system")

    def decide_slowly(order: Order | None) -> list[OrderEvent]:
        rival = seen(
            provider="manual", status="failed", payment_ref=str(len(existing(order, ORDER).payments))
        )
        change_order(ports.store, ORDER, lambda now: observe_payment(existing(now, ORDER), rival, stamp=at))
        return observe_payment(existing(order, ORDER), seen(provider="manual"), stamp=at)

    with pytest.raises(Contended):
        change_order(ports.store, ORDER, decide_slowly)
    assert lots(ports) == []


class _Due:
    """Orders that are said to be due."""

    def __init__(self, *order_ids: UUID) -> None:
        self.order_ids = list(order_ids)

    def orders_due(self, *, now_us: int, limit: int) -> list[UUID]:
        return self.order_ids[:limit]


def test_orders_expire_by_their_own_time() -> None:
    """What the read model names too early, or twice, is left as it is."""
    ports = furnished()
    ordered(ports)
    assert isinstance(ports.clock, ManualClock)
    assert expire_due(_Due(ORDER), store=ports.store, clock=ports.clock) == 1
    assert load_order(ports.store, ORDER).status == "placed"
    ports.clock.us += TRANSFER_US
    expire_due(_Due(ORDER, ORDER), store=ports.store, clock=ports.clock)
    assert load_order(ports.store, ORDER).status == "expired"


def test_one_order_that_cannot_be_read_keeps_no_other_waiting() -> None:
    """The log is away for the first; the next run has both."""
    ports = furnished()
    ordered(ports)
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us += TRANSFER_US
    store = store_of(ports)
    store.is_down = True
    assert expire_due(_Due(ORDER), store=store, clock=ports.clock) == 1
    store.is_down = False
    assert load_order(store, ORDER).status == "placed"


def test_an_order_is_shown_with_all_that_happened_to_it() -> None:
    """Who, when, what; and it must be there."""
    ports = furnished()
    ordered(ports)
    settled(ports)
    shown = show_order(ports.store, ORDER)
    assert [fact.topic for fact in shown.facts] == [
        "order.placed.v1",
        "order.payment-captured.v1",
        "order.credited.v1",
    ]
    assert (shown.status, shown.lot_id, shown.facts[1].actor) == ("credited", lot_of(ORDER), ANNA.label)
    assert shown.facts[1].said["evidence"] == "s 118"
    with pytest.raises(NotFound):
        show_order(ports.store, SECOND_ORDER)


def test_offers_are_listed_by_currency() -> None:
    """Free amounts need both ends."""
    ports = furnished()
    command = SetRechargeOffer(currency="CNY", rate_num=1_000_000, min_minor=1_000, max_minor=900_000)
    set_offer(command, actor=SYSTEM, ports=ports)
    assert [offer.currency for offer in list_offers(ports.store)] == ["CNY", "EUR"]
    with pytest.raises(BadField):
        set_offer(SetRechargeOffer(currency="CNY", rate_num=1, min_minor=5), actor=SYSTEM, ports=ports)
