"""Alipay's bills: what moved on our balance (`signcustomer`) and the trades (`trade`), each a ZIP of CSV in GBK with a head and a foot.

Fees are movements of their own. The bill of trades is read for the number of a refund, which the movements do not have.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import dropwhile
from typing import Final

import msgspec

from adapters.checkout.alipay_wire import time_s
from adapters.checkout.bill_files import Row, decoded, lines_of, rows_of, separated, unzipped
from adapters.checkout.bills import Flow, Returned, flow
from adapters.checkout.downloading import Downloads
from adapters.checkout.yuan import signed_fen
from application.checkout.ports import ProviderRefused, ProviderUnavailable

HOSTS: Final = frozenset({"dwbillcenter.alipay.com", "dwbillcenter.alipaydev.com"})
METHOD: Final = "alipay.data.dataservice.bill.downloadurl.query"
_US: Final = 1_000_000
_ENCODING: Final = "gb18030"  #: GBK and what it lacks
#: How Alipay says that there is none, in any of its spellings: nothing happened, or it is not made yet.
_NONE: Final = ("bill_not_exist", "no_bill_data", "bill_date_before_registration")
_FLOW: Final = ("账务流水号", "业务流水号", "商户订单号", "发生时间", "收入金额", "支出金额", "业务类型")
_TRADE: Final = ("支付宝交易号", "商户订单号", "订单金额", "退款批次号/请求号")
_REFUNDED: Final = "退款"
#: In this order, as one word is a part of another.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "退费": ("fee", "fee"),
    "收费": ("fee", "fee"),
    "服务费": ("fee", "fee"),
    "手续费": ("fee", "fee"),
    _REFUNDED: ("refund_failure", "refund"),
    "在线支付": ("payment", ""),
    "交易付款": ("payment", ""),
    "提现": ("payout_failure", "payout"),
}
_ACCOUNT: Final = re.compile(r"^#?\s*账号\s*[:\uff1a]\s*\[?(\d{16})", re.MULTILINE)
_TOTAL: Final = re.compile(
    r"^#\s*(收入|支出)合计\s*[:\uff1a]\s*(\d{1,9})\s*笔\s*[,\uff0c]\s*共\s*([+-]?[\d.]{1,16})\s*元",
    re.MULTILINE,
)


class BillAddress(msgspec.Struct, frozen=True):
    bill_download_url: str


class AlipayBills:
    """`ask` puts the question and believes only what Alipay has signed; the address in the answer is good for half a minute."""

    name = "alipay"

    def __init__(
        self, *, ask: Callable[[Mapping[str, str]], BillAddress], downloads: Downloads, seller_id: str
    ) -> None:
        self._ask, self._downloads, self._seller_id = ask, downloads, seller_id

    def flows(self, day: date) -> Sequence[Flow]:
        text = self._file(day, "signcustomer", _FLOW[0])
        if text is None:
            return ()
        flows = [_flow(row, day) for row in _rows(text, _FLOW, _is_flow)]
        _require_totals(text, flows)
        return flows

    def returned(self, day: date) -> Sequence[Returned]:
        text = self._file(day, "trade", _TRADE[0])
        rows = () if text is None else _rows(text, _TRADE, _is_trade)
        return [_returned(row) for row in rows if row["退款批次号/请求号"]]

    def key_of(self, flow: Flow) -> str:
        return f"{flow.own_ref} {abs(flow.amount_minor)}"

    def _file(self, day: date, bill_type: str, first_column: str) -> str | None:
        """The file with the rows; the other one of the archive has sums."""
        try:
            told = self._ask({"bill_type": bill_type, "bill_date": day.isoformat()})
        except (ProviderRefused, ProviderUnavailable) as error:
            if str(error).lower().replace("-", "_").endswith(_NONE):
                return None
            raise
        texts = [decoded(one, _ENCODING) for one in unzipped(self._downloads.get(told.bill_download_url))]
        tables = [one for one in texts if any(_table(one, first_column))]
        if len(tables) != 1:
            raise ProviderRefused("bill_unreadable")
        account = _ACCOUNT.search(tables[0])
        if self._seller_id and (account is None or account[1] != self._seller_id):
            raise ProviderRefused("bill_of_another_merchant")
        return tables[0]


def _rows(text: str, wanted: Sequence[str], is_row: Callable[[Row], bool]) -> Iterator[Row]:
    lines = _table(text, wanted[0])
    return rows_of(lines, wanted, cells_of=separated, is_end=lambda line: line.startswith("#"), is_row=is_row)


def _table(text: str, first_column: str) -> Iterator[str]:
    """From the line that names the columns; nothing if there is none."""
    return dropwhile(lambda line: first_column not in separated(line), lines_of(text))


def _is_flow(row: Row) -> bool:
    return _time_s(row) is not None and _amount(row) is not None


def _amount(row: Row) -> int | None:
    """What came less what left, which is written with its sign or without."""
    came, left = (signed_fen(row[name] or "0") for name in ("收入金额", "支出金额"))
    return None if came is None or left is None else came - abs(left)


def _time_s(row: Row) -> int | None:
    try:
        return time_s(row["发生时间"])
    except (ValueError, OverflowError):
        return None


def _flow(row: Row, day: date) -> Flow:
    return flow(
        flow_ref=row["账务流水号"],
        business_ref=row["业务流水号"],
        own_ref=row["商户订单号"],
        words=row["业务类型"],
        kinds=_KINDS,
        amount_minor=_amount(row),
        at_us=(_time_s(row) or 0) * _US,
        day=day,
    )


def _is_trade(row: Row) -> bool:
    return signed_fen(row["订单金额"]) is not None


def _returned(row: Row) -> Returned:
    amount_minor = abs(signed_fen(row["订单金额"]) or 0)
    trade_no, request_no = row["支付宝交易号"], row["退款批次号/请求号"]
    return Returned(
        key=f"{row['商户订单号']} {amount_minor}", payment_ref=trade_no, refund_ref=f"{trade_no}/{request_no}"
    )


def _require_totals(text: str, flows: Sequence[Flow]) -> None:
    """The foot says how many came and left, and how much: a bill that has lost a line is none."""
    told = {side: (int(count), abs(signed_fen(total) or 0)) for side, count, total in _TOTAL.findall(text)}
    came = sum(one.amount_minor for one in flows if one.amount_minor > 0)
    left = -sum(one.amount_minor for one in flows if one.amount_minor < 0)
    sums = {side: total for side, (_, total) in told.items()}
    if sums != {"收入": came, "支出": left} or sum(count for count, _ in told.values()) != len(flows):
        raise ProviderRefused("bill_incomplete")
