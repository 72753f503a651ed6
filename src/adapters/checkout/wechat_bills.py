"""WeChat Pay's bills: what moved on our account (`fundflowbill`) and the trades (`tradebill`), each a CSV whose cells begin with a backtick.

Where a bill is and its SHA-1 are signed; the file itself is not, so it must have that hash. Fees are movements of their own. The bill
of trades is read for the payment that a refund is of.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from adapters.checkout.alipay_wire import time_s
from adapters.checkout.bill_files import Row, decoded, gunzipped, lines_of, rows_of, ticked
from adapters.checkout.bills import Flow, Returned, flow
from adapters.checkout.downloading import Downloads, HeadersFor
from adapters.checkout.yuan import signed_fen
from application.checkout.ports import ProviderRefused

HOSTS: Final = frozenset({"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"})
_US: Final = 1_000_000
_FLOWS: Final = "/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP"
_TRADES: Final = "/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP"
#: Nothing happened, or it is not made yet.
_NONE: Final = frozenset({"NO_STATEMENT_EXIST", "STATEMENT_CREATING"})
_FLOW: Final = (
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务类型",
    "收支类型",
    "收支金额",
    "业务凭证号",
)
_FLOW_FOOT: Final = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")
_TOTALS: Final = (0, 2, 4)  #: of these: how many, what came, what left
_TRADE: Final = ("商户号", "微信订单号", "微信退款单号")
_TRADE_FOOT: Final = ("总交易单数",)
_SIGNS: Final[Mapping[str, int]] = {"收入": 1, "支出": -1}
#: In this order, as one word is a part of another.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "手续费": ("fee", "fee"),
    "退款": ("refund_failure", "refund"),
    "交易": ("payment", ""),
    "提现": ("payout_failure", "payout"),
}


class BillAddress(msgspec.Struct, frozen=True):
    download_url: str
    hash_value: str
    hash_type: str = "SHA1"


class WechatBills:
    """`ask` puts the question and believes only what WeChat Pay has signed; `headers_for` signs what is downloaded by us."""

    name = "wechat"

    def __init__(
        self,
        *,
        ask: Callable[[str], BillAddress],
        downloads: Downloads,
        headers_for: HeadersFor,
        merchant_id: str,
    ) -> None:
        self._ask, self._downloads = ask, downloads
        self._headers_for, self._merchant_id = headers_for, merchant_id

    def flows(self, day: date) -> Sequence[Flow]:
        lines = self._lines(_FLOWS, day)
        if lines is None:
            return ()
        flows = [_flow(row, day) for row in _rows(lines, _FLOW, _FLOW_FOOT[0])]
        _require_totals(next(lines, ""), flows)
        return flows

    def returned(self, day: date) -> Sequence[Returned]:
        lines = self._lines(_TRADES, day)
        rows = [] if lines is None else [*_rows(lines, _TRADE, _TRADE_FOOT[0])]
        if any(row["商户号"] != self._merchant_id for row in rows):
            raise ProviderRefused("bill_of_another_merchant")
        return [_returned(row) for row in rows if row["微信退款单号"].strip("0")]

    def key_of(self, flow: Flow) -> str:
        return flow.business_ref

    def _lines(self, path: str, day: date) -> Iterator[str] | None:
        try:
            told = self._ask(path.format(day=day.isoformat()))
        except ProviderRefused as error:
            if error.reason in _NONE:
                return None
            raise
        raw = gunzipped(self._downloads.get(told.download_url, self._headers_for))
        digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()  # what WeChat Pay signs is this one
        if told.hash_type != "SHA1" or not hmac.compare_digest(
            digest.encode(), told.hash_value.lower().encode()
        ):
            raise ProviderRefused("bill_hash_wrong")
        return lines_of(decoded(raw, "utf-8-sig"))


def _rows(lines: Iterator[str], wanted: Sequence[str], foot: str) -> Iterator[Row]:
    return rows_of(lines, wanted, cells_of=ticked, is_end=lambda line: line.startswith(foot))


def _flow(row: Row, day: date) -> Flow:
    sign, amount_minor = _SIGNS.get(row["收支类型"]), signed_fen(row["收支金额"])
    try:
        at_us = time_s(row["记账时间"]) * _US
    except (ValueError, OverflowError):
        raise ProviderRefused("bill_unreadable") from None
    return flow(
        flow_ref=row["资金流水单号"],
        business_ref=row["微信支付业务单号"],
        own_ref=row["业务凭证号"],
        words=row["业务类型"],
        kinds=_KINDS,
        amount_minor=None if sign is None or amount_minor is None else sign * amount_minor,
        at_us=at_us,
        day=day,
    )


def _returned(row: Row) -> Returned:
    refund_ref = row["微信退款单号"]
    return Returned(key=refund_ref, payment_ref=row["微信订单号"], refund_ref=refund_ref)


def _require_totals(foot: str, flows: Sequence[Flow]) -> None:
    """The foot says how many came and left, and how much."""
    cells = ticked(foot)
    came = sum(one.amount_minor for one in flows if one.amount_minor > 0)
    left = -sum(one.amount_minor for one in flows if one.amount_minor < 0)
    # A count is written as an amount is, with decimals.
    wanted = [100 * len(flows), came, left]
    if len(cells) < len(_FLOW_FOOT) or [signed_fen(cells[place]) for place in _TOTALS] != wanted:
        raise ProviderRefused("bill_incomplete")
