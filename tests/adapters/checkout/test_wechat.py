"""What is WeChat Pay's alone: how requests are signed, which of its keys are believed, and what its words mean."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.checkout.configured import ProviderSettings, configured
from adapters.checkout.trade_numbers import trade_number
from adapters.checkout.wechat import WechatCheckout
from adapters.checkout.wechat_objects import (
    Amount,
    Transaction,
    WechatRefund,
    observed_refund,
    observed_transaction,
)
from adapters.checkout.wechat_wire import platform_keys
from application.checkout.ports import ProviderRefused, ProviderUnavailable
from tests.adapters.checkout import rsa_parties
from tests.adapters.checkout.sides import SIDES, WechatSide, provider_of
from tests.adapters.checkout.test_contract import now_us, wanted
from tests.adapters.checkout.wechat_stub import (
    APP_ID,
    CERTIFICATE_SERIAL,
    MERCHANT_ID,
    PLATFORM_ID,
    notice,
    signed_headers,
)
from tests.domain.recharge.orders import ACCOUNT, ORDER

NUMBER = trade_number(ORDER, 1)


@pytest.fixture
def side() -> Iterator[WechatSide]:
    with SIDES["wechat"]() as one:
        assert isinstance(one, WechatSide)
        yield one


@pytest.fixture
def checkout(side: WechatSide) -> WechatCheckout:
    made = provider_of(side)
    assert isinstance(made, WechatCheckout)
    return made


def test_a_code_is_made_for_a_phone(side: WechatSide, checkout: WechatCheckout) -> None:
    """Sum in fen, the account beside it, messages to us."""
    made = checkout.open_session(wanted(side))
    assert (made.session_ref, made.is_code) == (NUMBER, True)
    assert made.url.startswith("weixin://wxpay/")
    trade = side.stub.trades[NUMBER]
    assert (trade["attach"], trade["amount"]) == (ACCOUNT.hex, {"total": 11_900, "currency": "CNY"})
    with pytest.raises(ProviderRefused, match="currency"):
        checkout.open_session(wanted(side, currency="EUR"))


def test_a_number_fits_where_it_is_written() -> None:
    """WeChat Pay takes 32 characters, Alipay 64."""
    assert len(trade_number(ORDER, 99_999)) <= 32
    assert len(trade_number(ORDER, 99_999, ACCOUNT)) <= 64


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        ("NOTPAY", ["open"]),
        ("USERPAYING", ["open"]),
        ("PAYERROR", ["open"]),
        ("CLOSED", ["expired"]),
        ("REVOKED", ["expired"]),
        ("SUCCESS", ["complete", "captured"]),
        ("REFUND", ["complete", "captured"]),
        ("SOMETHING_NEW", ["open"]),
    ],
)
def test_what_a_transaction_says(state: str, seen: list[str]) -> None:
    """One of which something went back was paid all the same."""
    found = Transaction(
        appid=APP_ID,
        mchid=MERCHANT_ID,
        out_trade_no=NUMBER,
        trade_state=state,
        transaction_id="4200",
        attach=ACCOUNT.hex,
        amount=Amount(total=100),
    )
    assert [one.status for one in observed_transaction(found, mode="live")] == seen  # type: ignore[union-attr]  # pages and payments


@pytest.mark.parametrize(
    ("status", "meaning"),
    [("PROCESSING", "pending"), ("ABNORMAL", "pending"), ("SUCCESS", "succeeded"), ("CLOSED", "failed")],
)
def test_what_a_refund_says(status: str, meaning: str) -> None:
    """An abnormal one is paid back in another way by the merchant, so it is not over."""
    refund = WechatRefund(
        refund_id="50",
        out_refund_no=ORDER.hex,
        transaction_id="4200",
        out_trade_no=NUMBER,
        status=status,
        amount=Amount(total=100, refund=5),
    )
    seen = observed_refund(refund, mode="live")
    assert seen is not None
    assert (seen.status, seen.refund_id, seen.amount_minor) == (meaning, ORDER, 5)


@pytest.mark.parametrize("party", ["ours", "mallory"])
def test_an_answer_that_wechat_has_not_signed_is_none(
    side: WechatSide, checkout: WechatCheckout, party: str
) -> None:
    """Whoever answered: the order stays as it is."""
    checkout.open_session(wanted(side))
    side.stub.signs_as = party
    with pytest.raises(ProviderUnavailable, match="not signed"):
        checkout.fetch_session(NUMBER)


@pytest.mark.parametrize(
    "change", [{"mchid": "1"}, {"appid": "wx1"}, {"out_trade_no": trade_number(ORDER, 2)}]
)
def test_an_answer_to_another_question_says_nothing(
    side: WechatSide, checkout: WechatCheckout, change: dict[str, str]
) -> None:
    """Though it is signed."""
    checkout.open_session(wanted(side))
    side.stub.trades[NUMBER] |= change
    with pytest.raises(ProviderRefused):
        checkout.fetch_session(NUMBER)


@pytest.mark.parametrize(
    ("failing", "kind"),
    [
        ((400, "PARAM_ERROR"), ProviderRefused),
        ((404, "ORDER_NOT_EXIST"), ProviderRefused),
        ((401, "SIGN_ERROR"), ProviderUnavailable),
        ((403, "NOT_ENOUGH"), ProviderUnavailable),
        ((429, "RATELIMIT_EXCEEDED"), ProviderUnavailable),
        ((500, "SYSTEM_ERROR"), ProviderUnavailable),
        ((302, ""), ProviderUnavailable),
    ],
)
def test_what_another_try_may_change_is_tried_again(
    side: WechatSide, checkout: WechatCheckout, failing: tuple[int, str], kind: type[Exception]
) -> None:
    """Settings, limits and breakdowns are no word on the transaction."""
    side.stub.failing = failing
    with pytest.raises(kind):
        checkout.fetch_session(NUMBER)


def test_while_a_key_is_exchanged_both_are_believed(side: WechatSide, checkout: WechatCheckout) -> None:
    """A platform certificate by its serial number, a public key by its id."""
    checkout.open_session(wanted(side))
    side.pay(NUMBER)
    raw = json.dumps(notice(side.stub.trades[NUMBER], now_s=now_us() / 1e6)).encode()
    now_s = now_us() // 1_000_000
    for party, serial in (("wechat", PLATFORM_ID), ("wechat-before", f"{CERTIFICATE_SERIAL:X}")):
        headers = signed_headers(raw, now_s=now_s, party=party, serial=serial)
        assert checkout.verify(raw, headers, now_us=now_us()).object_ref == NUMBER


def test_keys_without_a_name_are_no_keys() -> None:
    """Nobody could tell which one has signed."""
    for text in ("", "PUB_KEY_ID_1"):
        with pytest.raises(ValueError, match="there is no"):
            platform_keys(text)
    with pytest.raises(ValueError, match="no id"):
        platform_keys(rsa_parties.public_pem("wechat"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"wechat_api_key": "short"}, "32 characters"),
        ({"wechat_private_key": "x"}, "must be keys"),
        ({"wechat_platform_keys": "x"}, "must be keys"),
        ({"wechat_platform_keys": "OURS"}, "not your own"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    side: WechatSide, change: dict[str, str], word: str
) -> None:
    """Above all our own key in the place of WeChat Pay's."""
    if change.get("wechat_platform_keys") == "OURS":
        change = {"wechat_platform_keys": f"PUB_KEY_ID_1\n{rsa_parties.public_pem('ours')}"}
    given: dict[str, Any] = side.settings | change
    with pytest.raises(ValueError, match=word):
        configured(ProviderSettings(**given))
