"""From a message to the credit."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from application.checkout.handle import ATTEMPTS_MAX, handle_due
from application.checkout.inbox import QueuedWebhook
from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import BadNotice, Delivered
from application.checkout.receive import keep
from application.checkout.replay_webhook import ReplayWebhook
from application.checkout.replay_webhook import handle as replay
from application.checkout.sweep import AskFirst, ask_for, sweep_notices, sweep_orders
from application.command import Ports, new_event
from application.eventlog import LogUnavailable
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from application.recharge.expire_orders import expire_due
from domain.auto_recharge.ruling import ObservedMethod
from domain.fact import SYSTEM
from domain.recharge.observing import Observation, ObservedDispute, ObservedRefund, ObservedSession
from domain.recharge.placing import CHECKOUT_US
from domain.recharge.webhooks import WebhookParked, webhook_stream
from domain.refusal import NotFound, WrongState
from domain.topics import REGISTRY
from tests.application.checkout.provider import FakeProvider, deliver, message, tools_of, work, world
from tests.application.recharge.test_orders import lots, store_of
from tests.application.recharge.world import ordered
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER, seen
from tests.fakes import ManualClock, MemoryInbox

PAID = seen(account_id=ACCOUNT)


def bought(provider: FakeProvider, *objects: Observation) -> Ports:
    """An order through `provider`, of whose session these words are heard."""
    ports = world(provider)
    ordered(ports, provider=provider.name)
    provider.objects["cs_1"] = objects
    return ports


def row(ports: Ports) -> QueuedWebhook:
    (one,) = ports.inbox.page().items
    return one


def test_a_paid_session_is_credited_once() -> None:
    """However often it is told, by whatever messages; the provider's word is asked for, not believed."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    assert [deliver(ports, message()) for _ in range(3)] == ["kept", "known", "known"]
    assert deliver(ports, message("evt_2")) == "kept"
    assert lots(ports) == []
    assert work(ports) == 2
    assert work(ports) == 0
    assert provider.asked == 2
    assert [lot.amount_nano for lot in lots(ports)] == [100_000_000_000]
    assert {one.state for one in ports.inbox.page().items} == {"handled"}


def test_a_message_is_kept_before_it_is_acknowledged() -> None:
    """Bytes and receipt; where either cannot be stored the provider is not thanked, and sends again."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    store, inbox = store_of(ports), ports.inbox
    assert isinstance(inbox, MemoryInbox)
    inbox.is_down = True
    with pytest.raises(LogUnavailable):
        deliver(ports, message())
    inbox.is_down, store.is_down = False, True
    with pytest.raises(LogUnavailable):
        deliver(ports, message())
    store.is_down = False
    work(ports)
    assert lots(ports) == []
    assert deliver(ports, message()) == "kept"
    assert inbox.read("stripe", "evt_1") == message()
    work(ports)
    assert len(lots(ports)) == 1


def test_no_worker_is_at_a_message_before_its_receipt_is_there() -> None:
    """One that came in between would find nothing, and put it off; the credit would wait."""
    ports = bought(FakeProvider(), PAID)
    store_of(ports).before_append = lambda: work(ports)
    deliver(ports, message())
    assert row(ports).attempts == 0
    assert work(ports) == 1
    assert len(lots(ports)) == 1


def test_no_byte_of_a_message_is_in_the_log() -> None:
    """Only its digest: a customer's address may stand in it."""
    ports = bought(FakeProvider(), PAID)
    deliver(ports, message())
    assert all(message() not in one.state for one in store_of(ports).log)
    (received,) = [one for one in store_of(ports).log if one.topic == "webhook.received.v1"]
    assert len(REGISTRY.decode(received.topic, received.state).raw_sha256) == 64  # type: ignore[attr-defined]  # of this topic


def test_what_is_not_signed_is_not_kept() -> None:
    """Nor what is for a provider that is not set up."""
    ports = bought(FakeProvider(), PAID)
    with pytest.raises(BadNotice):
        deliver(ports, message(), headers=())
    with pytest.raises(NotFound):
        deliver(ports, message(), provider="paypal")
    assert ports.inbox.page().items == ()


@pytest.mark.parametrize(
    ("raw", "objects", "reason"),
    [
        (message(object_ref="cs_9"), (PAID,), "the provider has no such object: resource_missing"),
        (message(mode="test"), (PAID,), "a message of test mode, and we are in live mode"),
        (message(), (seen(order_id=OTHER),), f"no order {OTHER}"),
        (message(), (seen(amount_minor=1),), "payment does not match: amount"),
        (message(), (seen(currency="USD"),), "payment does not match: currency"),
        (message(), (seen(account_id=OTHER),), "payment does not match: account"),
        (message(), (seen(mode="test"),), "payment does not match: mode"),
        (message(), (seen(provider="alipay"),), "payment does not match: provider"),
    ],
)
def test_what_does_not_fit_is_parked_and_credits_nothing(
    raw: bytes, objects: Sequence[Observation], reason: str
) -> None:
    """With the reason, for an operator; a second message about it is parked as well."""
    ports = bought(FakeProvider(), *objects)
    deliver(ports, raw)
    work(ports)
    assert (row(ports).state, row(ports).reason) == ("parked", reason)
    assert lots(ports) == []
    deliver(ports, raw.replace(b"evt_1", b"evt_2"))
    work(ports)
    assert [one.state for one in ports.inbox.page().items] == ["parked", "parked"]


def test_a_payment_that_paid_for_another_order_is_parked() -> None:
    """Its claim stands in the way."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    ordered(ports, provider="stripe", order_id=OTHER)
    provider.objects["cs_2"] = (seen(order_id=OTHER),)
    for number in (1, 2):
        deliver(ports, message(f"evt_{number}", f"cs_{number}"))
    work(ports)
    assert [one.reason.partition(":")[0] for one in ports.inbox.page().items] == ["payment_taken", ""]
    assert len(lots(ports)) == 1


REFUND = ObservedRefund(
    provider="stripe",
    mode="live",
    order_id=ORDER,
    payment_ref="pi_1",
    refund_ref="re_1",
    refund_id=None,
    status="succeeded",
    amount_minor=500,
    currency="EUR",
)
DISPUTE = ObservedDispute(
    provider="stripe",
    mode="live",
    order_id=ORDER,
    payment_ref="pi_1",
    dispute_ref="du_1",
    status="open",
    amount_minor=11_900,
    currency="EUR",
    reason="fraudulent",
    due_us=None,
)


@pytest.mark.parametrize(
    ("seen_so", "left_nano"),
    [
        (REFUND, 95_798_319_328),
        (replace(REFUND, status="pending"), 95_798_319_328),
        (replace(REFUND, status="failed"), 100_000_000_000),
        (DISPUTE, 0),
        (replace(DISPUTE, status="lost"), 0),
        (replace(DISPUTE, status="won"), 100_000_000_000),
        (replace(DISPUTE, status="inquiry"), 100_000_000_000),
    ],
)
def test_money_that_leaves_takes_its_credit_along(seen_so: Observation, left_nano: int) -> None:
    """However it left; nobody has to look, and gateways are asked for what they have of it."""
    asked: list[UUID] = []

    def call_back(account_id: UUID, /) -> bool:
        asked.append(account_id)
        return True

    ports = bought(FakeProvider(), PAID, seen_so)
    deliver(ports, message())
    handle_due(replace(tools_of(ports), call_back=call_back))
    assert (row(ports).state, row(ports).order_id) == ("handled", ORDER)
    assert load_wallet(ports.store, ACCOUNT).wallet.available_nano == left_nano
    assert bool(asked) == (left_nano < 100_000_000_000 or seen_so == replace(DISPUTE, status="won"))


@pytest.mark.parametrize("seen_so", [REFUND, DISPUTE])
def test_money_that_leaves_of_an_order_that_is_not_credited_is_parked(seen_so: Observation) -> None:
    """Where the provider does not tell of the payment with it. Replayed once the payment is known, it is handled."""
    provider = FakeProvider()
    ports = bought(provider, seen_so)
    deliver(ports, message())
    work(ports)
    assert (row(ports).state, row(ports).reason) == (
        "parked",
        "money goes back of an order that is not credited",
    )
    provider.objects["cs_2"] = (PAID,)
    deliver(ports, message("evt_2", "cs_2"))
    work(ports)
    replay(ReplayWebhook(provider="stripe", event_ref="evt_1"), actor=SYSTEM, ports=ports)
    work(ports)
    assert {one.state for one in ports.inbox.page().items} == {"handled"}
    assert load_wallet(ports.store, ACCOUNT).wallet.available_nano < 100_000_000_000


def test_a_message_that_was_parked_before_refunds_were_known_can_be_replayed() -> None:
    """An older version told an operator of each refund; handled again, it takes the credit."""
    ports = bought(FakeProvider(), PAID, REFUND)
    deliver(ports, message())
    stream_id = webhook_stream("stripe", "evt_1")
    parked = WebhookParked(
        provider="stripe", event_ref="evt_1", reason="refunded: 500 EUR", order_id=ORDER, occurred_us=1
    )
    ports.store.append([new_event(stream_id, 2, parked)])
    replay(ReplayWebhook(provider="stripe", event_ref="evt_1"), actor=SYSTEM, ports=ports)
    work(ports)
    assert row(ports).state == "handled"
    assert load_wallet(ports.store, ACCOUNT).wallet.available_nano == 95_798_319_328


@pytest.mark.parametrize("raw", [message(object_ref=""), message()])
def test_what_is_not_about_an_order_is_ignored(raw: bytes) -> None:
    """It is handled, and nobody is bothered."""
    ports = bought(FakeProvider())
    deliver(ports, raw)
    work(ports)
    assert (row(ports).state, row(ports).order_id) == ("handled", None)


def test_a_parked_message_can_be_replayed() -> None:
    """By an operator, when what was wrong is mended; one that is not parked, or was never received, cannot be."""
    provider = FakeProvider()
    ports = bought(provider, seen(amount_minor=1))
    command = ReplayWebhook(provider="stripe", event_ref="evt_1")
    with pytest.raises(NotFound):
        replay(command, actor=SYSTEM, ports=ports)
    deliver(ports, message())
    with pytest.raises(WrongState):
        replay(command, actor=SYSTEM, ports=ports)
    work(ports)
    provider.objects["cs_1"] = (PAID,)
    replay(command, actor=SYSTEM, ports=ports)
    assert row(ports).state == "waiting"
    work(ports)
    assert (row(ports).state, row(ports).order_id) == ("handled", ORDER)
    assert (
        load_order(ports.store, ORDER).status == "placed"
    )  # noted as wrong once, and its money is with somebody


def test_a_provider_that_is_away_is_asked_again_and_then_somebody_is() -> None:
    """After most of a day the message is parked; nothing of it is lost."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    deliver(ports, message())
    provider.is_down = True
    for _ in range(ATTEMPTS_MAX - 1):
        work(ports)
        assert row(ports).state == "waiting"
    work(ports)
    assert (row(ports).state, row(ports).reason) == ("parked", "the provider does not answer: down")
    provider.is_down = False
    replay(ReplayWebhook(provider="stripe", event_ref="evt_1"), actor=SYSTEM, ports=ports)
    work(ports)
    assert len(lots(ports)) == 1


class _Breaking(FakeProvider):
    """Its adapter fails over one object in a way that nobody foresaw."""

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation | ObservedMethod]:
        if object_ref == "cs_odd":
            raise ZeroDivisionError
        return super().fetch(kind, object_ref)


def test_a_message_that_nobody_foresaw_holds_up_no_other() -> None:
    """Those that were claimed with it are handled; it is tried again, and is an operator's in the end."""
    provider = _Breaking()
    ports = bought(provider, PAID)
    deliver(ports, message("evt_odd", object_ref="cs_odd"))
    deliver(ports, message("evt_1"))
    work(ports)
    states = {one.event_ref: one.state for one in ports.inbox.page().items}
    assert states == {"evt_odd": "waiting", "evt_1": "handled"}
    assert len(lots(ports)) == 1
    for _ in range(ATTEMPTS_MAX - 1):
        work(ports)
    (odd,) = ports.inbox.page(state="parked").items
    assert (odd.event_ref, odd.reason) == ("evt_odd", "it cannot be handled: ZeroDivisionError")


def test_a_worker_that_dies_after_the_credit_credits_no_second_time() -> None:
    """The next one asks again, finds it done, and notes that."""
    ports = bought(FakeProvider(), PAID)
    deliver(ports, message())
    inbox = ports.inbox
    assert isinstance(inbox, MemoryInbox)
    before = dict(inbox.rows)
    work(ports)
    inbox.rows = before  # the queue was not told
    work(ports)
    assert len(lots(ports)) == 1
    assert row(ports).state == "handled"


def test_orders_are_asked_for_when_no_message_comes() -> None:
    """By the sweep, through the pages that were opened; a provider that is away is for the next run."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    _open(ports)
    provider.is_down = True
    assert sweep_orders(_Waiting(), checkouts=ports.checkouts, store=ports.store, clock=ports.clock) == 1
    assert lots(ports) == []
    provider.is_down = False
    for _ in range(2):
        sweep_orders(_Waiting(), checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    assert len(lots(ports)) == 1


def test_an_order_is_asked_for_before_it_expires() -> None:
    """While the provider is not heard it waits on; paid in the last moment it is credited."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    _open(ports)
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us += CHECKOUT_US
    ask = AskFirst(checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    provider.is_down = True
    expire_due(_Waiting(), store=ports.store, clock=ports.clock, ask=ask)
    assert load_order(ports.store, ORDER).status == "session_open"
    provider.is_down = False
    asked = provider.asked
    expire_due(_Waiting(), store=ports.store, clock=ports.clock, ask=ask)
    assert provider.asked == asked  # it is left alone for a minute
    ports.clock.us += 60_000_000
    expire_due(_Waiting(), store=ports.store, clock=ports.clock, ask=ask)
    assert load_order(ports.store, ORDER).status == "credited"


def test_an_order_whose_page_expired_expires() -> None:
    """The page's end is noted first."""
    page = ObservedSession(
        provider="stripe", mode="live", order_id=ORDER, session_ref="cs_1", status="expired"
    )
    ports = bought(FakeProvider(), page)
    _open(ports)
    ask_for(ORDER, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    assert load_order(ports.store, ORDER).status == "placed"
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us += CHECKOUT_US
    ask = AskFirst(checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    expire_due(_Waiting(), store=ports.store, clock=ports.clock, ask=ask)
    assert load_order(ports.store, ORDER).status == "expired"


def test_messages_that_were_missed_are_fetched() -> None:
    """Once; one that came after all is known."""
    provider = FakeProvider()
    ports = bought(provider, PAID)
    notice = provider.verify(message(), (("signature", "right"),), now_us=0)
    provider.missed = [Delivered(notice, message())]
    found = [
        sweep_notices(checkouts=ports.checkouts, inbox=ports.inbox, store=ports.store, clock=ports.clock)
        for _ in range(2)
    ]
    assert found == [1, 0]
    assert (
        keep("stripe", notice, message(), inbox=ports.inbox, store=ports.store, clock=ports.clock) == "known"
    )
    work(ports)
    assert len(lots(ports)) == 1
    provider.is_down = True
    assert (
        sweep_notices(checkouts=ports.checkouts, inbox=ports.inbox, store=ports.store, clock=ports.clock) == 0
    )


class _Waiting:
    """The one order waits, and is due."""

    def orders_waiting(self, provider: str, *, now_us: int, limit: int) -> list[Any]:
        return [ORDER]

    def orders_due(self, *, now_us: int, limit: int) -> list[Any]:
        return [ORDER]


def _open(ports: Ports) -> None:
    open_checkout(OpenCheckout(order_id=ORDER), actor=SYSTEM, ports=ports)


STAGES: tuple[tuple[Observation, ...], ...] = (
    (),
    (seen(status="processing"),),
    (seen(status="failed"),),
    (seen(status="processing"),),
    (PAID,),
    (PAID, seen(status="failed", payment_ref="pi_0")),
    (
        PAID,
        ObservedSession(
            provider="stripe", mode="live", order_id=ORDER, session_ref="cs_1", status="complete"
        ),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=14), st.permutations(range(7)))
def test_any_subset_order_and_repetition_of_seven_messages_converges(
    first: list[tuple[int, bool]], then: list[int]
) -> None:
    """P17 from the message on: some come, some twice, workers run in between or not, the object moves on under them; then
    all come once more. One credit, one state.
    """
    provider = FakeProvider()
    ports = bought(provider)
    for number, works in first:
        provider.objects["cs_1"] = STAGES[number]
        deliver(ports, message(f"evt_{number}"))
        if works:
            work(ports)
    provider.objects["cs_1"] = STAGES[-1]
    for number in then:
        deliver(ports, message(f"evt_{number}"))
    deliver(ports, message("evt_last"))
    work(ports)
    order = load_order(ports.store, ORDER)
    assert (order.status, order.payments) == ("credited", {"pi_1": "captured"})
    assert load_wallet(ports.store, ACCOUNT).wallet.granted_nano == 100_000_000_000
    assert {one.state for one in ports.inbox.page().items} == {"handled"}


BACK: tuple[tuple[Observation, ...], ...] = (
    (PAID,),
    (PAID, replace(REFUND, status="pending", payment=PAID)),
    (replace(REFUND, payment=PAID),),
    (replace(DISPUTE, amount_minor=5_950, payment=PAID),),
    (REFUND, replace(DISPUTE, amount_minor=5_950)),
    (replace(REFUND, status="failed", payment=PAID), replace(DISPUTE, amount_minor=5_950)),
    (PAID, replace(REFUND, status="failed"), replace(DISPUTE, amount_minor=5_950, status="lost")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=14), st.permutations(range(7)))
def test_whatever_messages_of_money_that_goes_back_come_the_order_ends_the_same(
    first: list[tuple[int, bool]], then: list[int]
) -> None:
    """P17: of a payment, a refund that fails in the end and a dispute that is lost; half of the credit is gone, once."""
    provider = FakeProvider()
    ports = bought(provider)
    for number, works in first:
        provider.objects["cs_1"] = BACK[number]
        deliver(ports, message(f"evt_{number}"))
        if works:
            work(ports)
    provider.objects["cs_1"] = BACK[-1]
    for number in then:
        deliver(ports, message(f"evt_{number}"))
    deliver(ports, message("evt_last"))
    work(ports)
    order, wallet = load_order(ports.store, ORDER), load_wallet(ports.store, ACCOUNT).wallet
    assert (order.status, order.refunded_minor) == ("disputed", 0)
    assert order.disputes["du_1"].state == "lost"
    assert (wallet.available_nano, wallet.frozen_nano, wallet.owed_nano) == (50_000_000_000, 0, 0)
