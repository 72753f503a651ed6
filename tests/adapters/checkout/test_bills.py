"""Bills that are late, missing, damaged or hostile: nothing is concluded from them, and the reason is said. Over real sockets."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from adapters.checkout.bill_files import FILE_BYTES_MAX, gunzipped, unzipped
from adapters.checkout.downloading import DOWNLOAD_BYTES_MAX
from adapters.checkout.yuan import signed_fen
from application.checkout.ports import (
    BalanceTransaction,
    CheckoutProvider,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.adapters.checkout.day_books import (
    DAY,
    Back,
    Moved,
    alipay_flows,
    alipay_trades,
    at_s,
    gzipped,
    sha1,
    wechat_flows,
    wechat_trades,
    zipped,
)
from tests.adapters.checkout.sides import SIDES, AlipaySide, WechatSide, provider_of

NEXT = DAY + timedelta(days=1)
PAID = [Moved("1001", "在线支付", 11_900)]
PAID_AT_WECHAT = [Moved("1001", "交易", 11_900)]


@pytest.fixture
def alipay() -> Iterator[AlipaySide]:
    with SIDES["alipay"]() as one:
        assert isinstance(one, AlipaySide)
        yield one


@pytest.fixture
def wechat() -> Iterator[WechatSide]:
    with SIDES["wechat"]() as one:
        assert isinstance(one, WechatSide)
        yield one


def read(checkout: CheckoutProvider, *, hour: int = 0) -> list[BalanceTransaction]:
    since_us, until_us = (int(at_s(day, hour)) * 1_000_000 for day in (DAY, NEXT + timedelta(days=1)))
    return [*checkout.balance_transactions(since_us=since_us, until_us=until_us)]


def read_until_refused(checkout: CheckoutProvider) -> tuple[list[str], str]:
    """The lines that came, and why there were no more."""
    since_us, until_us = (int(at_s(day, 0)) * 1_000_000 for day in (DAY, NEXT + timedelta(days=1)))
    came: list[str] = []
    with structlog.testing.capture_logs() as logs, pytest.raises(ProviderRefused) as refused:
        came.extend(
            one.transaction_ref for one in checkout.balance_transactions(since_us=since_us, until_us=until_us)
        )
    told = [(one["day"], one["reason"]) for one in logs if one["event"] == "bill_not_read"]
    assert told == [(str(DAY), refused.value.reason)]
    return came, refused.value.reason


def bomb() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", bytes(FILE_BYTES_MAX + 1))
    return raw.getvalue()


def lying_bomb() -> bytes:
    """It says that it is small."""
    raw = bomb()
    place = raw.rindex(b"PK\x01\x02") + 24
    return raw[:place] + (10).to_bytes(4, "little") + raw[place + 4 :]


HOSTILE_ALIPAY: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"<html>", "bill_unreadable"),
    "empty": (lambda: b"", "bill_unreadable"),
    "cut off archive": (lambda: zipped(alipay_flows(PAID))[:-30], "bill_unreadable"),
    "bomb": (bomb, "bill_too_large"),
    "many files": (
        lambda: zipped(alipay_flows(PAID), *((f"{n}.csv", b"") for n in range(20))),
        "bill_too_large",
    ),
    "two tables": (
        lambda: zipped(alipay_flows(PAID), ("2.csv", alipay_flows(PAID).encode("gbk"))),
        "bill_unreadable",
    ),
    "another encoding": (
        lambda: zipped("", ("3.csv", alipay_flows(PAID).encode("utf-16"))),
        "bill_unreadable",
    ),
    "no table": (lambda: zipped("#支付宝账务明细查询\r\n"), "bill_unreadable"),
    "another merchant": (
        lambda: zipped(alipay_flows(PAID, seller="2088000000000009")),
        "bill_of_another_merchant",
    ),
    "another day": (lambda: zipped(alipay_flows(PAID, NEXT)), "bill_of_another_day"),
    "a lost row": (
        lambda: zipped(alipay_flows(PAID).replace("1001\t", "#").replace("#,", "#x,")),
        "bill_incomplete",
    ),
    "a changed amount": (
        lambda: zipped(alipay_flows(PAID).replace(",119.00,", ",219.00,")),
        "bill_incomplete",
    ),
    "an amount that is none": (
        lambda: zipped(alipay_flows(PAID).replace(",119.00,", ",=1+1,")),
        "bill_unreadable",
    ),
    "no end": (
        lambda: zipped(
            alipay_flows(PAID).partition("#----------------------------------------")[0]
            + alipay_flows(PAID).partition("----\r\n")[2].partition("#")[0]
        ),
        "bill_incomplete",
    ),
    "one number twice": (lambda: zipped(alipay_flows(PAID * 2)), "bill_unreadable"),
    "a missing column": (
        lambda: zipped(alipay_flows(PAID).replace("业务流水号", "x", 1)),
        "bill_unreadable",
    ),
    "a row too short": (
        lambda: zipped(alipay_flows(PAID).replace("100.00,支付宝", "支付宝")),
        "bill_unreadable",
    ),
}


@pytest.mark.parametrize("what", HOSTILE_ALIPAY)
def test_a_bad_bill_of_alipay_is_refused_whole(alipay: AlipaySide, what: str) -> None:
    """With its reason; the next day's is read all the same."""
    make, reason = HOSTILE_ALIPAY[what]
    alipay.stub.bills["signcustomer", str(DAY)] = make()
    later = [Moved("2001", "在线支付", 100)]
    alipay.stub.bills["signcustomer", str(NEXT)] = zipped(alipay_flows(later, NEXT))
    assert read_until_refused(provider_of(alipay)) == (["2001"], reason)


def _wechat_bill(text: str) -> tuple[bytes, str]:
    return gzipped(text), sha1(text)


HOSTILE_WECHAT: dict[str, tuple[Callable[[], tuple[bytes, str]], str]] = {
    "another hash": (lambda: (gzipped(wechat_flows(PAID_AT_WECHAT)), sha1("x")), "bill_hash_wrong"),
    "the hash of what is compressed": (
        lambda: (gzipped(wechat_flows(PAID_AT_WECHAT)), sha1(wechat_flows(PAID_AT_WECHAT)) + "0"),
        "bill_hash_wrong",
    ),
    "bomb": (lambda: (gzip.compress(bytes(FILE_BYTES_MAX + 1)), sha1("")), "bill_too_large"),
    "cut off": (lambda: (gzipped(wechat_flows(PAID_AT_WECHAT))[:-9], sha1("")), "bill_unreadable"),
    "more behind it": (lambda: (gzipped(wechat_flows(PAID_AT_WECHAT)) + b"x", sha1("")), "bill_unreadable"),
    "another day": (lambda: _wechat_bill(wechat_flows(PAID_AT_WECHAT, NEXT)), "bill_of_another_day"),
    "a lost row": (
        lambda: _wechat_bill(
            wechat_flows([*PAID_AT_WECHAT, Moved("1", "交易", 1)]).replace("`2.0,`2.0,", "`3.0,`3.0,")
        ),
        "bill_incomplete",
    ),
    "no foot": (
        lambda: _wechat_bill(wechat_flows(PAID_AT_WECHAT).partition("资金流水总笔数")[0]),
        "bill_incomplete",
    ),
    "no ticks": (lambda: _wechat_bill(wechat_flows(PAID_AT_WECHAT).replace("`", "")), "bill_unreadable"),
    "neither came nor left": (
        lambda: _wechat_bill(wechat_flows(PAID_AT_WECHAT).replace("`收入", "`内部")),
        "bill_unreadable",
    ),
    "of no time": (
        lambda: _wechat_bill(wechat_flows(PAID_AT_WECHAT).replace("12:00:00", "noon")),
        "bill_unreadable",
    ),
    "formula for a number": (
        lambda: _wechat_bill(wechat_flows([Moved("=1 +1", "交易", 1)])),
        "bill_unreadable",
    ),
}


@pytest.mark.parametrize("what", HOSTILE_WECHAT)
def test_a_bad_bill_of_wechat_pay_is_refused_whole(wechat: WechatSide, what: str) -> None:
    """Likewise."""
    make, reason = HOSTILE_WECHAT[what]
    wechat.stub.bills["fundflowbill", str(DAY)] = make()
    wechat.bill("fundflowbill", wechat_flows([Moved("2001", "交易", 100)], NEXT), NEXT)
    assert read_until_refused(provider_of(wechat)) == (["2001"], reason)


def test_another_encoding_of_wechat_pays_is_refused(wechat: WechatSide) -> None:
    """Its hash may be right."""
    raw = wechat_flows(PAID_AT_WECHAT).encode("gbk")
    wechat.stub.bills["fundflowbill", str(DAY)] = (raw, hashlib.sha1(raw, usedforsecurity=False).hexdigest())
    assert read_until_refused(provider_of(wechat)) == ([], "bill_unreadable")


def test_trades_of_another_merchant_are_refused(wechat: WechatSide) -> None:
    """They would say whose refunds ours are."""
    wechat.bill("fundflowbill", wechat_flows([Moved("1001", "退款", -500, "50001")]))
    wechat.bill("tradebill", wechat_trades([Back("4200001", "50001", 500)], merchant="1900000009"))
    assert read_until_refused(provider_of(wechat)) == ([], "bill_of_another_merchant")


@pytest.mark.parametrize(
    "code",
    [
        "isp.BILL_NOT_EXIST",
        "isp.bill_not_exist",
        "BILL_NOT_EXIST",
        "isp.no-bill-data",
        "isp.BILL_DATE_BEFORE_REGISTRATION",
    ],
)
def test_a_day_without_a_bill_at_alipay_has_no_lines(alipay: AlipaySide, code: str) -> None:
    """However it is said: nothing happened, or it is not made yet, and is asked for again."""
    alipay.stub.no_bill = code
    assert read(provider_of(alipay)) == []


@pytest.mark.parametrize("code", ["NO_STATEMENT_EXIST", "STATEMENT_CREATING"])
def test_a_day_without_a_bill_at_wechat_pay_has_no_lines(wechat: WechatSide, code: str) -> None:
    """Likewise."""
    wechat.stub.no_bill = code
    assert read(provider_of(wechat)) == []


def test_a_bill_that_is_not_ours_to_read_says_so(alipay: AlipaySide, wechat: WechatSide) -> None:
    """Whoever has to mend a contract or a setting reads the provider's own code."""
    alipay.stub.no_bill = "TYPE_NOT_SUPPORTED"
    with pytest.raises(ProviderRefused, match="TYPE_NOT_SUPPORTED"):
        read(provider_of(alipay))
    wechat.stub.failing = (403, "NO_AUTH")
    with pytest.raises(ProviderUnavailable, match="NO_AUTH"):
        read(provider_of(wechat))


def test_an_empty_bill_has_no_lines(alipay: AlipaySide, wechat: WechatSide) -> None:
    """Whatever its columns are then."""
    text = alipay_flows([]).replace("业务类型,备注", "备注")
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(text)
    wechat.bill("fundflowbill", wechat_flows([]))
    assert (read(provider_of(alipay)), read(provider_of(wechat))) == ([], [])


ADDRESSES = [
    "http://127.0.0.1:1/downloadBillFile.resource",
    "http://169.254.169.254/latest/meta-data",
    "https://dwbillcenter.alipay.com.evil.example/x",
    "https://dwbillcenter.alipay.com@evil.example/x",
    "https://evil.example\\@dwbillcenter.alipay.com/x",
    "https://dwbillcenter.alipay.com:8443/x",
    "https://api.mch.weixin.qq.com:8443/x",
    "https://evil.example/#dwbillcenter.alipay.com",
    "file:///etc/passwd",
    "ftp://dwbillcenter.alipay.com/x",
    "//dwbillcenter.alipay.com/x",
    "https://[::1",
    "https://dwbillcenter.alipay.com/x\r\nhost: evil",
    "",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_asked_at_an_address_that_is_not_listed(
    alipay: AlipaySide, wechat: WechatSide, address: str
) -> None:
    """Though it is in a signed answer."""
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(alipay_flows(PAID))
    wechat.bill("fundflowbill", wechat_flows(PAID_AT_WECHAT))
    for side in (alipay, wechat):
        side.stub.bill_url = address or "x"
        assert read_until_refused(provider_of(side)) == ([], "bill_address_not_listed")
        assert side.stub.downloads == []


def test_words_of_others_do_no_harm(alipay: AlipaySide, wechat: WechatSide) -> None:
    """Commas, formulas, quotes and line breaks of their own in what is not read; a kind that nobody knows is told if it is words."""
    texts = ["Credit, order TK-1", "=HYPERLINK(1)", "a\u2028b", '5" pipe', "`,`x", "支付, 119.00, 0.00"]
    moved = [Moved(f"10{n}", "在线支付", 100 + n, text=text) for n, text in enumerate(texts)]
    odd = [Moved("201", "=cmd|' /C calc'!A0", 5), Moved("202", "转账", 7), Moved("203", "在线支付", -9)]
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(alipay_flows([*moved, *odd]))
    lines = read(provider_of(alipay))
    assert [one.gross_minor for one in lines] == [100, 101, 102, 103, 104, 105, 5, 7, -9]
    assert [one.kind for one in lines[6:]] == ["unknown", "转账", "在线支付"]
    again = [one._replace(word="交易") for one in moved if "`" not in one.text]
    wechat.bill("fundflowbill", wechat_flows(again))
    assert [one.kind for one in read(provider_of(wechat))] == ["payment"] * len(again)


def test_a_refund_is_found_beside_another_of_the_same_sum_and_over_midnight(alipay: AlipaySide) -> None:
    """Each movement is of another refund; one whose trade is told by the day before is of it; one that is nowhere waits for somebody."""
    moved = [Moved(f"10{n}", "交易退款", -500) for n in range(2)]
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(alipay_flows(moved))
    backs = [Back("4200001", "r1", 500), Back("4200001", "r2", 500)]
    alipay.stub.bills["trade", str(DAY)] = zipped(alipay_trades([*backs, Back("4200001", "r3", 7)]))
    late = [Moved("201", "交易退款", -7, time="00:00:01"), Moved("202", "交易退款", -9, business="b")]
    alipay.stub.bills["signcustomer", str(NEXT)] = zipped(alipay_flows(late, NEXT))
    lines = read(provider_of(alipay))
    assert [one.object_ref for one in lines] == ["4200001/r1", "4200001/r2", "4200001/r3", ""]
    assert [one.source_ref for one in lines] == ["4200001"] * 3 + ["b"]


def test_only_lines_of_the_time_that_is_asked_for(alipay: AlipaySide) -> None:
    """A day that is not over has no bill; of a day that has begun before, what is later counts."""
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(
        alipay_flows([*PAID, Moved("2", "转账", 1, time="14:00:00")])
    )
    assert [one.transaction_ref for one in read(provider_of(alipay), hour=13)] == ["2"]
    asked = [one["bill_date"] for method, one in alipay.stub.asked if "bill" in method]
    assert asked == [str(DAY), str(NEXT)]


def test_what_is_too_large_is_not_read_to_its_end(alipay: AlipaySide) -> None:
    """Nor is what an archive says of its size believed."""
    alipay.stub.bills["signcustomer", str(DAY)] = bytes(DOWNLOAD_BYTES_MAX + 1)
    with pytest.raises(ProviderUnavailable, match="without an end"):
        read(provider_of(alipay))
    with pytest.raises(ProviderRefused):
        unzipped(lying_bomb())
    assert gunzipped(b"plain") == b"plain"


def test_what_moved_says_nothing_of_people(alipay: AlipaySide) -> None:
    """Neither who paid nor what they wrote is in a line."""
    alipay.stub.bills["signcustomer", str(DAY)] = zipped(
        alipay_flows([Moved("1", "在线支付", 1, text="SECRET")])
    )
    assert not any(word in str(read(provider_of(alipay))) for word in ("SECRET", "buyer", "example.com"))


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        *(("0.01", 1), ("-0.60", -60), ("+3", 300), ("1.2", 120), ("0.72000", 72), ("100000", 100_000_00)),
        *(
            (text, None)
            for text in ("", "-", "1.234", "1e3", "\uff11", "=1", "1,000.00", "1.", "9" * 16, "0.720001")
        ),
    ],
)
def test_amounts_of_bills(text: str, minor: Any) -> None:
    """Exact to the fen, or none."""
    assert signed_fen(text) == minor
