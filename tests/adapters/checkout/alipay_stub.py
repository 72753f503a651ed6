"""A server that speaks as much of Alipay's open platform as we use, with real keys: it checks how requests are signed, and signs.

No counterpart of others exists. The form is the documented one: signed parameters, answers signed over their JSON object,
messages as signed forms.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.adapters.checkout.rsa_parties import key_of, signature
from tests.adapters.checkout.served import served

APP_ID, SELLER_ID = "2021000000000001", "2088000000000001"
_CHINA = timezone(timedelta(hours=8))


def at(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, tz=_CHINA).strftime("%Y-%m-%d %H:%M:%S")


def joined(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


class AlipayStub:
    """`trades` by our number; `failing` is answered to everything if it is set."""

    def __init__(self) -> None:
        self.trades: dict[str, dict[str, str]] = {}
        self.refunds: dict[tuple[str, str], dict[str, str]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.failing: dict[str, str] | None = None
        self.signs_as = "alipay"  #: somebody else signs the answers
        self.status = 200
        self.url = ""
        self.bills: dict[tuple[str, str], bytes] = {}  #: archives by kind and day
        self.bill_url = ""  #: told instead of the right one
        self.no_bill = "isp.BILL_NOT_EXIST"
        self.downloads: list[str] = []

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/downloadBillFile.resource"):
            self.downloads.append(path)
            asked = dict(parse_qsl(urlsplit(path).query))
            return 200, {}, self.bills[asked["bizType"], asked["bizDates"]]
        text = body.decode() if method == "POST" else urlsplit(path).query
        fields = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
        if self.status != 200:
            return self.status, {}, b"<html>"
        name = f"{fields['method'].replace('.', '_')}_response"
        said = json.dumps(self._said(fields), ensure_ascii=False).replace("/", "\\/")
        answered = f'{{"{name}":{said},"sign":"{signature(self.signs_as, said.encode())}"}}'
        return 200, {"content-type": "application/json;charset=utf-8"}, answered.encode()

    def _said(self, fields: dict[str, str]) -> dict[str, str]:
        if self.failing is not None:
            return self.failing
        given = fields.pop("sign")
        try:
            key_of("ours").public_key().verify(_decoded(given), joined(fields), PKCS1v15(), SHA256())
        except InvalidSignature:
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        assert fields["app_id"] == APP_ID
        assert (fields["sign_type"], fields["charset"], fields["version"]) == ("RSA2", "utf-8", "1.0")
        content = json.loads(fields["biz_content"])
        self.asked.append((fields["method"], content))
        done = getattr(self, "_" + fields["method"].removeprefix("alipay.trade.").replace(".", "_"))(content)
        return {"code": "10000", "msg": "Success", **done} if "sub_code" not in done else done

    def _precreate(self, content: dict[str, str]) -> dict[str, str]:
        self.visit(content)
        return {
            "out_trade_no": content["out_trade_no"],
            "qr_code": f"https://qr.alipay.example/{content['out_trade_no']}",
        }

    def _query(self, content: dict[str, str]) -> dict[str, str]:
        found = self.trades.get(content["out_trade_no"])
        return _refusal("ACQ.TRADE_NOT_EXIST") if found is None else found

    def _close(self, content: dict[str, str]) -> dict[str, str]:
        found = self.trades.get(content["out_trade_no"])
        if found is None:
            return _refusal("ACQ.TRADE_NOT_EXIST")
        if found["trade_status"] != "WAIT_BUYER_PAY":
            return _refusal("ACQ.TRADE_STATUS_ERROR")
        found["trade_status"] = "TRADE_CLOSED"
        return {"out_trade_no": found["out_trade_no"]}

    def _refund(self, content: dict[str, str]) -> dict[str, str]:
        found = next(
            (one for one in self.trades.values() if one.get("trade_no") == content["trade_no"]), None
        )
        if found is None:
            return _refusal("ACQ.TRADE_NOT_EXIST")
        place = (found["out_trade_no"], content["out_request_no"])
        if place not in self.refunds:
            back = sum(float(one["refund_amount"]) for key, one in self.refunds.items() if key[0] == place[0])
            if back + float(content["refund_amount"]) > float(found["total_amount"]):
                return _refusal("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            self.refunds[place] = {
                "trade_no": found["trade_no"],
                "out_trade_no": place[0],
                "out_request_no": place[1],
                "refund_amount": content["refund_amount"],
                "refund_status": "REFUND_SUCCESS",
            }
        return {"out_trade_no": place[0], "trade_no": found["trade_no"], "fund_change": "Y"}

    def _fastpay_refund_query(self, content: dict[str, str]) -> dict[str, str]:
        return self.refunds.get((content["out_trade_no"], content["out_request_no"]), {})

    def _alipay_data_dataservice_bill_downloadurl_query(self, content: dict[str, str]) -> dict[str, str]:
        place = (content["bill_type"], content["bill_date"])
        if place not in self.bills:
            return _refusal(self.no_bill)
        asked = urlencode({"bizType": place[0], "bizDates": place[1], "fileId": "/trade/1.csv.zip"})
        address = urlsplit(self.url)
        right = f"{address.scheme}://{address.netloc}/downloadBillFile.resource?{asked}"
        return {"bill_download_url": self.bill_url or right}

    def visit(self, content: Mapping[str, str]) -> None:
        """The customer is at the page: the trade begins."""
        number = content["out_trade_no"]
        self.trades.setdefault(
            number,
            {
                "out_trade_no": number,
                "trade_no": f"2026112922001{len(self.trades):015}",
                "trade_status": "WAIT_BUYER_PAY",
                "total_amount": content["total_amount"],
            },
        )

    def pay(self, number: str, **changes: str) -> str:
        """The customer pays; the id of the trade at Alipay."""
        trade = self.trades[number]
        trade |= {"trade_status": "TRADE_SUCCESS", "send_pay_date": "2026-11-29 20:00:00", **changes}
        return trade["trade_no"]


def notice(number: str, trade: Mapping[str, str], *, now_s: float, **changes: str) -> dict[str, str]:
    """The fields of a message about a trade, but for `changes`, without its signature."""
    return {
        "notify_time": at(now_s),
        "notify_type": "trade_status_sync",
        "notify_id": "2026112900222153000000000001",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": APP_ID,
        "auth_app_id": APP_ID,
        "trade_no": trade["trade_no"],
        "out_trade_no": number,
        "seller_id": SELLER_ID,
        "subject": "Credit, order T+K & 1",
        "trade_status": trade["trade_status"],
        "total_amount": trade["total_amount"],
        "buyer_memo": "",
        "fund_bill_list": '[{"amount":"1.00","fundChannel":"ALIPAYACCOUNT"}]',
    } | changes


def signed(fields: Mapping[str, str], *, party: str = "alipay", sign_type: str = "RSA2") -> bytes:
    """The form as it is sent."""
    bare = {name: value for name, value in fields.items() if name not in {"sign", "sign_type"}}
    return urlencode({**bare, "sign_type": sign_type, "sign": signature(party, joined(bare))}).encode()


def _refusal(sub_code: str) -> dict[str, str]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "so it is"}


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@contextmanager
def serving() -> Iterator[AlipayStub]:
    """The stub, and its address in `url`."""
    stub = AlipayStub()
    with served(stub.answer) as url:
        stub.url = f"{url}/gateway.do"
        yield stub
