"""What is Alipay's alone: how requests are signed, and what its words mean."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.checkout.alipay import AlipayCheckout
from adapters.checkout.alipay_objects import AlipayTrade, observed_trade
from adapters.checkout.configured import ProviderSettings, configured
from adapters.checkout.trade_numbers import trade_number
from application.checkout.ports import ProviderRefused, ProviderUnavailable
from domain.recharge.observing import ObservedPayment, ObservedRefund
from tests.adapters.checkout import rsa_parties
from tests.adapters.checkout.alipay_stub import at, notice, signed
from tests.adapters.checkout.sides import SIDES, AlipaySide, provider_of
from tests.adapters.checkout.test_contract import now_us, wanted
from tests.domain.recharge.orders import ACCOUNT, ORDER

NUMBER = trade_number(ORDER, 1, ACCOUNT)


@pytest.fixture
def side() -> Iterator[AlipaySide]:
    with SIDES["alipay"]() as one:
        assert isinstance(one, AlipaySide)
        yield one


@pytest.fixture
def checkout(side: AlipaySide) -> AlipayCheckout:
    made = provider_of(side)
    assert isinstance(made, AlipayCheckout)
    return made


def test_the_address_of_a_page_is_signed_and_says_where_to_come_back(
    side: AlipaySide, checkout: AlipayCheckout
) -> None:
    """Sum in yuan, end in China's time, messages to us; Alipay's side of the socket accepts the signature."""
    request = wanted(side)
    url = urlsplit(checkout.open_session(request).url)
    fields = dict(parse_qsl(url.query))
    assert (fields["method"], fields["return_url"]) == ("alipay.trade.page.pay", request.success_url)
    assert fields["notify_url"] == "https://shop.example/webhooks/alipay"
    assert '"total_amount":"119.00"' in fields["biz_content"]
    assert f'"time_expire":"{at(request.expires_us / 1e6)}"' in fields["biz_content"]
    _, _, raw = side.stub.answer("GET", f"{url.path}?{url.query.replace('page.pay', 'query')}", {}, b"")
    assert b"isv.invalid-signature" in raw  # what was changed is noticed there
    side.visit(NUMBER)
    assert len(checkout.fetch_session(NUMBER)) == 1  # and what was not is taken


def test_other_currencies_are_refused(side: AlipaySide, checkout: AlipayCheckout) -> None:
    """Nothing is asked."""
    with pytest.raises(ProviderRefused, match="currency"):
        checkout.open_session(wanted(side, currency="EUR"))
    assert side.stub.asked == []


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"trade_status": "WAIT_BUYER_PAY"}, ["open"]),
        ({"trade_status": "TRADE_SUCCESS"}, ["complete", "captured"]),
        ({"trade_status": "TRADE_FINISHED"}, ["complete", "captured"]),
        ({"trade_status": "TRADE_CLOSED"}, ["expired"]),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": "2026-11-29 20:00:00"}, ["complete", "captured"]),
        ({"trade_status": "SOMETHING_NEW"}, ["open"]),
        ({"trade_status": "TRADE_SUCCESS", "out_trade_no": "order-17"}, []),
    ],
)
def test_what_a_trade_says(changes: dict[str, str], seen: list[str]) -> None:
    """One that was closed after it was paid was paid all the same; one of another system says nothing."""
    given = {"trade_no": "2026", "out_trade_no": NUMBER, "total_amount": "1.00"} | changes
    assert [one.status for one in observed_trade(AlipayTrade(**given), mode="live")] == seen  # type: ignore[union-attr]  # pages and payments


@pytest.mark.parametrize("amount", ["", "-1.00", "1.001", "1e3", "1,000.00", "٣.00", "NaN", "1.", " 1.00"])
def test_an_amount_that_is_none_says_nothing(amount: str) -> None:
    """Whatever it is, it is no money for this order."""
    trade = AlipayTrade(
        trade_no="2026", out_trade_no=NUMBER, trade_status="TRADE_SUCCESS", total_amount=amount
    )
    with pytest.raises(ProviderRefused):
        observed_trade(trade, mode="live")


@pytest.mark.parametrize(("amount", "amount_minor"), [("0.01", 1), ("88.8", 8880), ("100", 10_000)])
def test_amounts_are_yuan(amount: str, amount_minor: int) -> None:
    """With two decimals, one or none."""
    trade = AlipayTrade(
        trade_no="2026", out_trade_no=NUMBER, trade_status="TRADE_SUCCESS", total_amount=amount
    )
    paid = observed_trade(trade, mode="live")[1]
    assert isinstance(paid, ObservedPayment)
    assert paid.amount_minor == amount_minor


@pytest.mark.parametrize("party", ["ours", "mallory"])
def test_an_answer_that_alipay_has_not_signed_is_none(
    side: AlipaySide, checkout: AlipayCheckout, party: str
) -> None:
    """Whoever answered: the order stays as it is."""
    side.pay(NUMBER)
    side.stub.signs_as = party
    with pytest.raises(ProviderUnavailable, match="not signed"):
        checkout.fetch_session(NUMBER)


@pytest.mark.parametrize(
    ("failing", "kind"),
    [
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, ProviderUnavailable),
        ({"code": "40004", "sub_code": "ACQ.SELLER_BALANCE_NOT_ENOUGH"}, ProviderUnavailable),
        ({"code": "40004", "sub_code": "ACQ.INVALID_PARAMETER"}, ProviderRefused),
        ({"code": "40002", "sub_code": "isv.invalid-signature"}, ProviderUnavailable),
        ({"code": "40002", "sub_code": "isv.invalid-app-id"}, ProviderUnavailable),
        ({"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}, ProviderUnavailable),
        ({"code": "20000", "sub_code": "isp.unknow-error"}, ProviderUnavailable),
        ({"code": "10000"}, ProviderRefused),
        ({"code": "10000", "out_trade_no": trade_number(ORDER, 2, ACCOUNT)}, ProviderRefused),
    ],
)
def test_what_another_try_may_change_is_tried_again(
    side: AlipaySide, checkout: AlipayCheckout, failing: dict[str, str], kind: type[Exception]
) -> None:
    """Settings and breakdowns are no word on the trade; an answer to another question is."""
    complete = {"trade_no": "1", "trade_status": "TRADE_SUCCESS", "total_amount": "1.00"}
    side.stub.failing = failing | (complete if "out_trade_no" in failing else {})
    with pytest.raises(kind):
        checkout.fetch_session(NUMBER)


@pytest.mark.parametrize("status", [302, 404, 502])
def test_what_is_no_answer_of_alipays_is_none(
    side: AlipaySide, checkout: AlipayCheckout, status: int
) -> None:
    """A proxy's page says nothing about a trade."""
    side.stub.status = status
    with pytest.raises(ProviderUnavailable):
        checkout.fetch_session(NUMBER)


def test_a_refund_of_the_sellers_own_console_is_seen_by_its_message(
    side: AlipaySide, checkout: AlipayCheckout
) -> None:
    """It has no id of ours; where there is no such refund nothing is said."""
    trade_no = side.pay(NUMBER)
    fields = notice(
        NUMBER, side.stub.trades[NUMBER], now_s=now_us() / 1e6, out_biz_no="HZ01RF001", refund_fee="5.00"
    )
    told = checkout.verify(signed(fields), [], now_us=now_us())
    assert (told.kind, told.object_ref) == ("refund", f"{NUMBER}/HZ01RF001")
    assert checkout.fetch(told.kind, told.object_ref) == ()
    side.stub.refunds[NUMBER, "HZ01RF001"] = {
        "trade_no": trade_no,
        "out_trade_no": NUMBER,
        "out_request_no": "HZ01RF001",
        "refund_amount": "5.00",
    }
    (seen,) = checkout.fetch(told.kind, told.object_ref)
    assert isinstance(seen, ObservedRefund)
    assert (seen.refund_id, seen.amount_minor, seen.status) == (None, 500, "succeeded")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"alipay_public_key": "OURS"}, "Alipay's key"),
        ({"alipay_public_key": "MIIB"}, "public key"),
        ({"alipay_private_key": "MIIB"}, "private key"),
        ({"alipay_private_key": "OURS"}, "private key"),
        ({"alipay_way": "app"}, "page or code"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    side: AlipaySide, change: dict[str, str], word: str
) -> None:
    """Above all our own key in the place of Alipay's."""
    ours = {"OURS": rsa_parties.public_pem("ours")}
    given: dict[str, Any] = side.settings | {name: ours.get(one, one) for name, one in change.items()}
    with pytest.raises(ValueError, match=word):
        configured(ProviderSettings(**given))
