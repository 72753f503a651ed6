"""A server that speaks as much of WeChat Pay's API v3 as we use, with real keys: it checks how requests are signed, and signs.

No counterpart of others exists. The form is the documented one: a signed authorization, answers and messages signed over time,
nonce and body, the contents of messages sealed with AES-256-GCM.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from tests.adapters.checkout.rsa_parties import key_of, signature
from tests.adapters.checkout.served import served

MERCHANT_ID, APP_ID, SERIAL = "1900000001", "wx0000000000000001", "5157F09EFDC096DE15EBE81A47057A72"
SEAL_KEY = b"0123456789abcdef0123456789abcdef"
PLATFORM_ID = "PUB_KEY_ID_0114232134912410000000000000"
CERTIFICATE_SERIAL = 0x21BC5C0E19CF953DA421E5275B1AB7741FBF465C
_PART = re.compile(r'(\w+)="([^"]*)"')

Answer = tuple[int, dict[str, str], bytes]


class WechatStub:
    """`trades` by our number, `refunds` by ours; `failing` is answered to everything if it is set."""

    def __init__(self) -> None:
        self.trades: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.failing: tuple[int, str] | None = None
        self.signs_as = "wechat"  #: somebody else signs the answers
        self.url = ""
        self.bills: dict[tuple[str, str], tuple[bytes, str]] = {}  #: file and SHA-1 by kind and day
        self.bill_url = ""  #: told instead of the right one
        self.no_bill = "NO_STATEMENT_EXIST"
        self.downloads: list[str] = []

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if not self._is_ours(method, path, headers, body):
            return self._signed(401, {"code": "SIGN_ERROR", "message": "wrong signature"})
        self.asked.append((method, path))
        if self.failing is not None:
            status, code = self.failing
            return self._signed(status, {"code": code, "message": "so it is"})
        if path.startswith("/v3/bill"):
            return self._bill(path)
        return self._signed(*self._said(method, urlsplit(path).path, json.loads(body) if body else {}))

    def _bill(self, path: str) -> Answer:
        """Where one is, which is signed; or one, which is not."""
        parts = urlsplit(path)
        asked = dict(parse_qsl(parts.query))
        if parts.path == "/v3/billdownload/file":
            self.downloads.append(path)
            return 200, {"content-type": "application/gzip"}, self.bills[asked["kind"], asked["token"]][0]
        place = (parts.path.removeprefix("/v3/bill/"), asked["bill_date"])
        if place not in self.bills:
            return self._signed(400, {"code": self.no_bill})
        right = f"{self.url}/v3/billdownload/file?kind={place[0]}&token={place[1]}"
        told = {
            "download_url": self.bill_url or right,
            "hash_type": "SHA1",
            "hash_value": self.bills[place][1],
        }
        return self._signed(200, told)

    def _said(  # noqa: PLR0911  # one for each thing that can be asked
        self, method: str, path: str, content: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None]:
        parts = path.removeprefix("/v3/").split("/")
        match (method, *parts):
            case ("POST", "pay", "transactions", "native"):
                return self._native(content)
            case ("GET", "pay", "transactions", "out-trade-no", number):
                return self._found(self.trades.get(number))
            case ("GET", "pay", "transactions", "id", ref):
                return self._found(
                    next((t for t in self.trades.values() if t["transaction_id"] == ref), None)
                )
            case ("POST", "pay", "transactions", "out-trade-no", number, "close"):
                return self._close(number)
            case ("POST", "refund", "domestic", "refunds"):
                return self._refund(content)
            case ("GET", "refund", "domestic", "refunds", number):
                found = self.refunds.get(number)
                return (200, found) if found else (404, {"code": "RESOURCE_NOT_EXISTS"})
        return 404, {"code": "PARAM_ERROR"}

    def _found(self, trade: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        return (404, {"code": "ORDER_NOT_EXIST"}) if trade is None else (200, trade)

    def _native(self, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number = content["out_trade_no"]
        known = self.trades.setdefault(
            number,
            {
                "appid": content["appid"],
                "mchid": content["mchid"],
                "out_trade_no": number,
                "transaction_id": "",
                "trade_state": "NOTPAY",
                "attach": content["attach"],
                "amount": content["amount"],
            },
        )
        if known["trade_state"] != "NOTPAY" or known["amount"] != content["amount"]:
            return 403, {"code": "OUT_TRADE_NO_USED"}
        return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={number[:9]}"}

    def _close(self, number: str) -> tuple[int, dict[str, Any] | None]:
        trade = self.trades.get(number)
        if trade is None:
            return 404, {"code": "ORDER_NOT_EXIST"}
        if trade["trade_state"] != "NOTPAY":
            return 400, {"code": "ORDER_PAID" if trade["trade_state"] == "SUCCESS" else "ORDER_CLOSED"}
        trade["trade_state"] = "CLOSED"
        return 204, None

    def _refund(self, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number, amount = content["out_refund_no"], content["amount"]
        trade = next(
            (t for t in self.trades.values() if t["transaction_id"] == content["transaction_id"]), None
        )
        if trade is None:
            return 404, {"code": "RESOURCE_NOT_EXISTS"}
        back = sum(
            one["amount"]["refund"]
            for one in self.refunds.values()
            if one["transaction_id"] == trade["transaction_id"] and one["out_refund_no"] != number
        )
        total = trade["amount"]["total"]
        if amount["total"] != total or back + amount["refund"] > total:
            return 400, {"code": "INVALID_REQUEST"}
        made = {
            "refund_id": f"5030000{len(self.refunds):015}",
            "out_refund_no": number,
            "transaction_id": trade["transaction_id"],
            "out_trade_no": trade["out_trade_no"],
            "status": "PROCESSING",
            "amount": {"total": total, "refund": amount["refund"], "currency": "CNY"},
        }
        return 200, self.refunds.setdefault(number, made)

    def pay(self, number: str, **changes: Any) -> str:
        """The customer pays; the id of the transaction at WeChat Pay."""
        trade = self.trades[number]
        ref = f"42000010{list(self.trades).index(number):020}"
        trade |= {"trade_state": "SUCCESS", "transaction_id": ref, "trade_type": "NATIVE", **changes}
        return ref

    def _is_ours(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        parts = dict(_PART.findall(rest))
        known = (scheme, parts.get("mchid"), parts.get("serial_no"))
        if known != ("WECHATPAY2-SHA256-RSA2048", MERCHANT_ID, SERIAL):
            return False
        signed = f"{method}\n{path}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode() + body + b"\n"
        try:
            given = base64.b64decode(parts["signature"], validate=True)
            key_of("ours").public_key().verify(given, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def _signed(self, status: int, said: dict[str, Any] | None) -> Answer:
        raw = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        headers = signed_headers(raw, now_s=int(time.time()), party=self.signs_as)
        return status, {"content-type": "application/json", **dict(headers)}, raw


def signed_headers(
    raw: bytes,
    *,
    now_s: int | str,
    party: str = "wechat",
    serial: str = PLATFORM_ID,
    nonce: str | None = None,
) -> list[tuple[str, str]]:
    """What WeChat Pay puts beside a body."""
    chosen = secrets.token_hex(16) if nonce is None else nonce
    signed = f"{now_s}\n{chosen}\n".encode() + raw + b"\n"
    return [
        ("wechatpay-timestamp", str(now_s)),
        ("wechatpay-nonce", chosen),
        ("wechatpay-serial", serial),
        ("wechatpay-signature", signature(party, signed)),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"),
    ]


def sealed(
    told: Any, *, key: bytes = SEAL_KEY, nonce: str = "fdasflkja484", data: str = "transaction"
) -> dict[str, str]:
    """The contents of a message."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return {
        "original_type": "transaction",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(AESGCM(key).encrypt(nonce.encode(), raw, data.encode())).decode(),
        "associated_data": data,
        "nonce": nonce,
    }


def notice(told: Any, *, now_s: float, **changes: Any) -> dict[str, Any]:
    """A message, but for `changes`."""
    return {
        "id": "EV-2026112920000000001",
        "create_time": datetime.fromtimestamp(int(now_s), tz=UTC).isoformat(),
        "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": sealed(told),
    } | changes


@contextmanager
def serving() -> Iterator[WechatStub]:
    """The stub, and its address in `url`."""
    stub = WechatStub()
    with served(stub.answer) as url:
        stub.url = url
        yield stub
