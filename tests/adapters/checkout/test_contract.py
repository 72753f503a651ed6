"""What the port to payment providers promises, on each of its adapters, over real sockets."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.checkout.configured import ProviderSettings, configured
from application.checkout.ports import (
    BadNotice,
    CheckoutProvider,
    Notice,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    SessionRequest,
)
from domain.money.events import PAYMENTS, PAYOUT
from domain.recharge.observing import (
    Observation,
    ObservedPayment,
    ObservedRefund,
    ObservedSession,
    mismatches,
)
from domain.recharge.order import Order
from domain.refusal import BadField, NotFound
from tests.adapters.checkout.day_books import DAY, at_s
from tests.adapters.checkout.sides import SIDES, Message, Side, provider_of
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER, folded, placed

FORGED_MIN = 60


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with SIDES[request.param]() as one:
        yield one


@pytest.fixture
def checkout(side: Side) -> CheckoutProvider:
    return provider_of(side)


def now_us() -> int:
    return time.time_ns() // 1_000


def wanted(side: Side, **changes: Any) -> SessionRequest:
    request = SessionRequest(
        order_id=ORDER,
        page=1,
        account_id=ACCOUNT,
        amount_minor=11_900,
        currency=side.currency,
        description="Credit, order TK-1",
        expires_us=now_us() // 1_000_000 * 1_000_000 + 3600 * 1_000_000,
        idempotency_key=f"order/{ORDER}/session/1",
        success_url="https://shop.example/orders/1",
        cancel_url="https://shop.example/orders/1",
    )
    return replace(request, **changes)


def order_at(side: Side, checkout: CheckoutProvider) -> Order:
    """The order whose page it is, as the domain knows it."""
    (event,) = placed(provider=side.name, mode=checkout.mode)
    return folded(replace(event, currency=side.currency))  # type: ignore[type-var]  # a placed order


def payments(seen: Any) -> list[ObservedPayment]:
    return [one for one in seen if isinstance(one, ObservedPayment)]


def verified(checkout: CheckoutProvider, message: Message) -> Notice:
    return checkout.verify(*message, now_us=now_us())


def test_a_page_is_made_once(side: Side, checkout: CheckoutProvider) -> None:
    """Asked for again it is the same one; the order's next one is another."""
    request = wanted(side)
    first, again = checkout.open_session(request), checkout.open_session(request)
    assert (first.session_ref, first.is_code) == (again.session_ref, again.is_code)
    assert first.url
    assert first.expires_us == request.expires_us
    later = replace(request, page=2, idempotency_key=f"order/{ORDER}/session/2")
    assert checkout.open_session(later).session_ref != first.session_ref


def test_it_is_of_test_mode_beside_a_counterpart(side: Side, checkout: CheckoutProvider) -> None:
    """What is paid at a counterpart is no money."""
    assert (checkout.name, checkout.mode) == (side.name, "test")


def test_a_page_that_nobody_has_paid_on_is_open(side: Side, checkout: CheckoutProvider) -> None:
    """Whether the customer has been there or not."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    expected = ObservedSession(
        provider=side.name, mode="test", order_id=ORDER, session_ref=session_ref, status="open"
    )
    assert list(checkout.fetch_session(session_ref)) == [expected]
    side.visit(session_ref)
    assert list(checkout.fetch_session(session_ref)) == [expected]


def test_a_paid_page_is_a_captured_payment_that_fits(side: Side, checkout: CheckoutProvider) -> None:
    """In every part of the order."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    payment_ref = side.pay(session_ref)
    page, paid = checkout.fetch_session(session_ref)
    assert isinstance(page, ObservedSession)
    assert isinstance(paid, ObservedPayment)
    assert page.status == "complete"
    assert (paid.status, paid.payment_ref, paid.amount_minor) == ("captured", payment_ref, 11_900)
    assert (paid.currency, paid.account_id) == (side.currency, ACCOUNT)
    assert mismatches(order_at(side, checkout), paid) == ()


@pytest.mark.parametrize("what", ["amount", "currency", "account"])
def test_a_payment_that_does_not_fit_says_so_or_nothing(
    side: Side, checkout: CheckoutProvider, what: str
) -> None:
    """It is never one that fits."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.pay(session_ref, what)
    try:
        seen = payments(checkout.fetch_session(session_ref))
    except ProviderRefused:
        return
    (paid,) = seen
    assert mismatches(order_at(side, checkout), paid) == (what,)


def test_a_closed_page_is_over(side: Side, checkout: CheckoutProvider) -> None:
    """Closing it again does nothing; one that is paid stays paid; one that is none is refused."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.visit(session_ref)
    checkout.close_session(session_ref)
    checkout.close_session(session_ref)
    (page,) = checkout.fetch_session(session_ref)
    assert isinstance(page, ObservedSession)
    assert page.status == "expired"
    paid_ref = checkout.open_session(wanted(side, page=2, idempotency_key="2")).session_ref
    side.pay(paid_ref)
    checkout.close_session(paid_ref)
    assert [one.status for one in payments(checkout.fetch_session(paid_ref))] == ["captured"]
    with pytest.raises(ProviderRefused):
        checkout.close_session("../refunds")


def test_a_message_names_what_to_ask_for(side: Side, checkout: CheckoutProvider) -> None:
    """The same one comes under the same name."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    payment_ref = side.pay(session_ref)
    notice = verified(checkout, side.message(session_ref))
    assert notice.mode == checkout.mode
    assert verified(checkout, side.message(session_ref)).event_ref == notice.event_ref
    assert verified(checkout, side.message(session_ref, number=1)).event_ref != notice.event_ref
    (paid,) = payments(checkout.fetch(notice.kind, notice.object_ref))
    assert paid.payment_ref == payment_ref


def test_no_forged_or_crossed_message_is_believed(side: Side, checkout: CheckoutProvider) -> None:
    """P18: each of them is refused, and by no other error."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.pay(session_ref)
    cases = side.forged(session_ref)
    assert len(cases) >= FORGED_MIN
    believed = []
    for name, message in cases.items():
        try:
            verified(checkout, message)
        except BadNotice:
            continue
        believed.append(name)
    assert believed == []


def test_any_changed_byte_of_a_message_is_noticed(side: Side, checkout: CheckoutProvider) -> None:
    """P18: wherever it is."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.pay(session_ref)
    raw, headers = side.message(session_ref)
    for place in range(0, len(raw), 7):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(BadNotice):
            checkout.verify(changed, headers, now_us=now_us())


def test_a_message_must_be_of_now(side: Side, checkout: CheckoutProvider) -> None:
    """Neither older than the provider goes on sending, nor from the future."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.pay(session_ref)
    for off_s in (-side.behind_s_max + 120, 180):
        verified(checkout, side.message(session_ref, off_s=off_s))
    for off_s in (-side.behind_s_max - 60, 900):
        with pytest.raises(BadNotice):
            verified(checkout, side.message(session_ref, off_s=off_s))


def test_a_message_for_another_account_or_mode_is_none_of_ours(
    side: Side, checkout: CheckoutProvider
) -> None:
    """It is refused, or says that it is of another mode, which parks it."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    side.pay(session_ref)
    try:
        notice = verified(checkout, side.foreign(session_ref))
    except BadNotice:
        return
    assert notice.mode != checkout.mode


def refunded(payment_ref: str, side: Side, **changes: Any) -> RefundOrder:
    order = RefundOrder(
        order_id=ORDER,
        account_id=ACCOUNT,
        refund_id=OTHER,
        payment_ref=payment_ref,
        amount_minor=500,
        currency=side.currency,
        idempotency_key="refund/1",
    )
    return replace(order, **changes)


def test_a_refund_is_made_once_and_read_back(side: Side, checkout: CheckoutProvider) -> None:
    """By its own message too; more than was paid is refused."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    payment_ref = side.pay(session_ref)
    made = checkout.refund(refunded(payment_ref, side))
    assert checkout.refund(refunded(payment_ref, side)).refund_ref == made.refund_ref
    assert (made.refund_id, made.order_id, made.amount_minor) == (OTHER, ORDER, 500)
    assert (made.payment_ref, made.currency) == (payment_ref, side.currency)
    notice = verified(checkout, side.refund_message(session_ref, made.refund_ref))
    (seen,) = checkout.fetch(notice.kind, notice.object_ref)
    assert isinstance(seen, ObservedRefund)
    assert (seen.refund_ref, seen.refund_id, seen.amount_minor) == (made.refund_ref, OTHER, 500)
    with pytest.raises(ProviderRefused):
        checkout.refund(
            refunded(payment_ref, side, refund_id=UUID(int=9), amount_minor=99_999_999, idempotency_key="2")
        )


def test_the_lines_of_our_account_name_what_they_are_of(side: Side, checkout: CheckoutProvider) -> None:
    """The payment, its fee, the refund by the name that orders know, and what went to our bank; each once, however often it is read."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    payment_ref = side.pay(session_ref)
    refund_ref = checkout.refund(refunded(payment_ref, side)).refund_ref
    side.settle(payment_ref, refund_ref)
    since_us, until_us = (int(at_s(DAY + timedelta(days=off), 0)) * 1_000_000 for off in (-1, 2))
    lines = [*checkout.balance_transactions(since_us=since_us, until_us=until_us)]
    assert lines == [*checkout.balance_transactions(since_us=since_us, until_us=until_us)]
    assert len({one.transaction_ref for one in lines}) == len(lines)
    assert all(one.gross_minor - one.fee_minor == one.net_minor for one in lines)
    assert {(one.currency, one.created_us // 1_000_000) for one in lines} == {(side.currency, int(at_s()))}
    assert sum(one.fee_minor for one in lines) == 72
    (paid,) = (one for one in lines if one.kind in PAYMENTS)
    assert (paid.source_ref, paid.gross_minor) == (payment_ref, 11_900)
    (back,) = (one for one in lines if one.kind == "refund")
    assert (back.source_ref, back.object_ref, back.gross_minor) == (payment_ref, refund_ref, -500)
    (out,) = (one for one in lines if one.kind == PAYOUT)
    assert out.gross_minor == -10_000


def test_a_provider_that_breaks_down_is_unavailable(side: Side, checkout: CheckoutProvider) -> None:
    """Whatever it is asked: another try may help."""
    session_ref = checkout.open_session(wanted(side)).session_ref
    payment_ref = side.pay(session_ref)
    notice = verified(checkout, side.message(session_ref))
    side.down()
    for ask in (
        lambda: checkout.fetch_session(session_ref),
        lambda: checkout.fetch(notice.kind, notice.object_ref),
        lambda: checkout.refund(refunded(payment_ref, side)),
        lambda: checkout.close_session(session_ref),
        lambda: [*checkout.balance_transactions(since_us=0, until_us=2 * 86_400_000_000)],
    ):
        with pytest.raises(ProviderUnavailable):
            ask()


def test_a_provider_that_is_gone_is_unavailable() -> None:
    """Not an error of a library."""
    for make in SIDES.values():
        with make() as gone:
            checkout = provider_of(gone)
            session_ref = checkout.open_session(wanted(gone)).session_ref
        with pytest.raises(ProviderUnavailable):
            checkout.fetch_session(session_ref)


@pytest.mark.parametrize("object_ref", ["../refunds", "a/../b", "a?expand[]=x", "a b", "x" * 300])
def test_an_id_that_is_none_is_not_asked_for(side: Side, checkout: CheckoutProvider, object_ref: str) -> None:
    """It would lead elsewhere: it is refused, or is none of ours."""

    def seen(kind: str) -> list[Observation]:
        try:
            return list(checkout.fetch(kind, object_ref))
        except ProviderRefused:
            return []

    kinds = ("checkout.session.completed", "payment_intent.succeeded", "refund.updated", "refund", "trade")
    assert [seen(kind) for kind in kinds] == [[]] * len(kinds)
    with pytest.raises(ProviderRefused):
        checkout.fetch_session(object_ref)


def test_whether_ways_to_pay_can_be_left_is_told(side: Side) -> None:
    """At the others it is refused in words that name those that offer it."""
    checkouts = configured(ProviderSettings(**side.settings))
    if side.name == "stripe":
        assert checkouts.savers() == ("stripe",)
        assert checkouts.saving("stripe") is checkouts.get("stripe").methods
    else:
        assert checkouts.savers() == ()
        with pytest.raises(BadField, match="keeps no payment method"):
            checkouts.saving(side.name)


def test_without_its_settings_a_provider_is_off(side: Side) -> None:
    """Each half of them is a mistake that is said, and says no secret."""
    with pytest.raises(NotFound):
        configured(ProviderSettings(public_url="https://shop.example")).get(side.name)
    optional = {"stripe_api_base", "alipay_seller_id", "alipay_gateway", "alipay_way", "wechat_api_base"}
    needed = [name for name in side.settings if name not in optional]
    for name in needed:
        with pytest.raises(ValueError, match="must") as told:
            configured(ProviderSettings(**side.settings | {name: ""}))
        assert not any(value in str(told.value) for value in side.settings.values() if len(value) > 30)


def test_its_own_address_is_live(side: Side) -> None:
    """Only money counts as money."""
    live = {name: value for name, value in side.settings.items() if not name.endswith(("_gateway", "_base"))}
    live |= {
        name: value.replace("_test_", "_live_") for name, value in live.items() if name == "stripe_secret_key"
    }
    assert configured(ProviderSettings(**live)).get(side.name).mode == "live"


@pytest.mark.parametrize("name", sorted(SIDES.keys() - {"stripe"}))
def test_what_a_provider_does_not_list_is_none(name: str) -> None:
    """Payouts are not taken apart; nor are there disputes where the provider has none."""
    with SIDES[name]() as side:
        checkout = provider_of(side)
        assert checkout.payout_lines("po_1") is None
        assert [*checkout.fetch_dispute("du_1")] == []
