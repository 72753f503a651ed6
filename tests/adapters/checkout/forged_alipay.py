"""What a forger may send in Alipay's name, and what Alipay may have signed for somebody else."""

import base64
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from tests.adapters.checkout.alipay_stub import at, joined, notice, signed
from tests.adapters.checkout.rsa_parties import signature

Message = tuple[bytes, list[tuple[str, str]]]
_FORM = [("content-type", "application/x-www-form-urlencoded")]


def forged_alipay(number: str, trade: Mapping[str, str]) -> dict[str, Message]:
    """About this trade, or about anything else."""
    now_s = time.time()
    true = notice(number, trade, now_s=now_s)
    raws = _unsigned(true) | _changed(true) | _crossed(true, now_s) | _no_messages(true)
    return {name: (raw, _FORM) for name, raw in raws.items()}


def _with(fields: Mapping[str, str], sign: str, sign_type: str = "RSA2") -> bytes:
    return urlencode({**fields, "sign_type": sign_type, "sign": sign}).encode()


def _unsigned(true: Mapping[str, str]) -> dict[str, bytes]:
    right = signature("alipay", joined(true))
    return {
        "no signature": urlencode(true).encode(),
        "signature empty": _with(true, ""),
        "signature None": _with(true, "None"),
        "signature words": _with(true, "let me in"),
        "signature cut": _with(true, right[:-4]),
        "signature longer": _with(true, right + "AAAA"),
        "signature in hex": _with(true, base64.b64decode(right).hex()),
        "signature url-safe": _with(true, "-" + right[1:].replace("+", "-").replace("/", "_")),
        "signature with a space": _with(true, " " + right),
        "signature not ASCII": _with(true, "ü" * 344),
        "signature of zeros": _with(true, base64.b64encode(bytes(256)).decode()),
        "signature huge": _with(true, "A" * 100_000),
        "signature of another body": _with(
            true, signature("alipay", joined({**true, "total_amount": "0.01"}))
        ),
        "signed by us": _with(true, signature("ours", joined(true))),
        "signed by somebody": _with(true, signature("mallory", joined(true))),
        "signed with sign_type": _with(true, signature("alipay", joined({**true, "sign_type": "RSA2"}))),
        "signed unordered": _with(
            true, signature("alipay", "&".join(f"{k}={v}" for k, v in reversed(true.items())).encode())
        ),
        "signed encoded": _with(true, signature("alipay", urlencode(sorted(true.items())).encode())),
        "scheme RSA": _with(true, right, "RSA"),
        "scheme MD5": _with(true, right, "MD5"),
        "scheme none": _with(true, right, "none"),
        "scheme empty": _with(true, right, ""),
        "scheme in small letters": _with(true, right, "rsa2"),
        "no scheme": urlencode({**true, "sign": right}).encode(),
    }


def _changed(true: Mapping[str, str]) -> dict[str, bytes]:
    """Signed by Alipay, and changed afterwards."""
    right, whole = signature("alipay", joined(true)), signed(true)
    changes = {
        "total_amount": "9999.00",
        "out_trade_no": "0" * 25 + "_1",
        "trade_no": "2026112922001400000000000009",
        "trade_status": "TRADE_FINISHED",
        "app_id": "2021000000000009",
        "seller_id": "2088000000000009",
        "notify_time": at(time.time() + 1),
        "buyer_memo": "x",
        "charset": "gbk",
    }
    cases = {f"changed {name}": _with({**true, name: value}, right) for name, value in changes.items()}
    left = {name: value for name, value in true.items() if name != "buyer_memo"}
    return cases | {
        "a field more": _with({**true, "x": "1"}, right),
        "a field less": _with(left, right),
        "a field twice": whole + b"&trade_status=TRADE_SUCCESS",
        "the number twice": whole + b"&out_trade_no=1",
        "the signature twice": whole + b"&sign=" + right[:10].encode(),
        "two fields in one": whole.replace(b"&version=1.0", b"%26version%3D1.0"),
        "a byte off": whole.replace(b"TRADE_SUCCESS", b"TRADE_SUCCESs").replace(b"WAIT_BUYER", b"WAIT_BUYEr"),
    }


def _crossed(true: Mapping[str, str], now_s: float) -> dict[str, bytes]:
    """Signed by Alipay, and not for us or not of now."""
    return {
        "another application": signed({**true, "app_id": "2021000000000009"}),
        "another seller": signed({**true, "seller_id": "2088000000000009"}),
        "no seller": signed({name: value for name, value in true.items() if name != "seller_id"}),
        "stale": signed({**true, "notify_time": at(now_s - 27 * 3600)}),
        "of last year": signed({**true, "notify_time": at(now_s - 365 * 86_400)}),
        "from the future": signed({**true, "notify_time": at(now_s + 1_000)}),
        "of tomorrow": signed({**true, "notify_time": at(now_s + 86_400)}),
        "signed in another encoding": signed({**true, "charset": "GBK"}),
    }


def _no_messages(true: Mapping[str, str]) -> dict[str, bytes]:
    """Signed by Alipay, and no message."""
    bare = {name: value for name, value in true.items() if name not in {"trade_no", "notify_time"}}
    changes = {
        "no time": {"notify_time": ""},
        "time is text": {"notify_time": "now"},
        "time in seconds": {"notify_time": "1764000000"},
        "time of no day": {"notify_time": "2026-13-45 00:00:00"},
        "time of year 0": {"notify_time": "0000-01-01 00:00:00"},
        "trade is empty": {"trade_no": ""},
        "trade is a path": {"trade_no": "../../refund"},
        "trade is long": {"trade_no": "9" * 65},
        "trade is not ASCII": {"trade_no": "ü"},
        "trade has a line": {"trade_no": "1\n2"},
        "number is empty": {"out_trade_no": ""},
        "number is a path": {"out_trade_no": "a/b"},
        "number has a space": {"out_trade_no": "a b"},
        "status is empty": {"trade_status": ""},
        "status is a path": {"trade_status": "a/b"},
        "refund is a path": {"refund_fee": "1.00", "out_biz_no": "a/b"},
    }
    return {f"no message: {name}": signed({**true, **change}) for name, change in changes.items()} | {
        "no message: half of it": signed(bare),
        "nothing": b"",
        "JSON": b'{"trade_status":"TRADE_SUCCESS"}',
        "no form": b"hello",
        "no UTF-8": b"a=%ff%fe&sign=x",
        "raw bytes": bytes(range(256)),
        "many fields": b"&".join(b"f%d=1" % number for number in range(5_000)),
    }
