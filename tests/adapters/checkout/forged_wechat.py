"""What a forger may send in WeChat Pay's name, and what WeChat Pay may have signed for somebody else."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from tests.adapters.checkout.rsa_parties import signature
from tests.adapters.checkout.wechat_stub import (
    CERTIFICATE_SERIAL,
    PLATFORM_ID,
    SERIAL,
    notice,
    sealed,
    signed_headers,
)

Message = tuple[bytes, list[tuple[str, str]]]
Headers = list[tuple[str, str]]


def forged_wechat(trade: Mapping[str, Any]) -> dict[str, Message]:
    """About this transaction, or about anything else."""
    now_s = int(time.time())
    true = notice(trade, now_s=now_s)
    raw = _raw(true)
    cases = {f"forged: {name}": (raw, headers) for name, headers in _headers(raw, now_s).items()}
    other = _raw(true | {"id": "EV-2"})
    cases["of another body"] = (other, signed_headers(raw, now_s=now_s))
    cases["a byte off"] = (raw.replace(b"EV-", b"EV_"), signed_headers(raw, now_s=now_s))
    cases["a space more"] = (raw + b" ", signed_headers(raw, now_s=now_s))
    contents = _crossed(true, trade) | _no_messages(true)
    return cases | {name: (one, signed_headers(one, now_s=now_s)) for name, one in contents.items()}


def _raw(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def _headers(raw: bytes, now_s: int) -> dict[str, Headers]:
    true = signed_headers(raw, now_s=now_s)
    right = dict(true)["wechatpay-signature"]
    values = {
        "signature empty": ("signature", ""),
        "signature words": ("signature", "let me in"),
        "signature None": ("signature", "None"),
        "signature cut": ("signature", right[:-4]),
        "signature longer": ("signature", right + "AAAA"),
        "signature in hex": ("signature", base64.b64decode(right).hex()),
        "signature of zeros": ("signature", base64.b64encode(bytes(256)).decode()),
        "signature huge": ("signature", "A" * 5_000),
        # WeChat Pay sends such ones itself, to see whether they are refused.
        "signature of a probe": ("signature", f"WECHATPAY/SIGNTEST/{right}"),
        "signature by us": ("signature", signature("ours", _signed(raw, true))),
        "signature by somebody": ("signature", signature("mallory", _signed(raw, true))),
        "signature of the body alone": ("signature", signature("wechat", raw)),
        "serial empty": ("serial", ""),
        "serial unknown": ("serial", "PUB_KEY_ID_0"),
        "serial of our certificate": ("serial", SERIAL),
        "serial of another key of theirs": ("serial", f"{CERTIFICATE_SERIAL:X}"),
        "serial in small letters": ("serial", PLATFORM_ID.lower()),
        "time empty": ("timestamp", ""),
        "time is text": ("timestamp", "now"),
        "time is a fraction": ("timestamp", f"{now_s}.0"),
        "time is negative": ("timestamp", f"-{now_s}"),
        "time is huge": ("timestamp", "9" * 400),
        "time of another": ("timestamp", str(now_s + 1)),
        "nonce empty": ("nonce", ""),
        "nonce of another": ("nonce", "0" * 32),
        "nonce long": ("nonce", "0" * 4_000),
        "scheme of another": ("signature-type", "WECHATPAY2-SM2-WITH-SM3"),
    }
    cases = {name: _with(true, header, value) for name, (header, value) in values.items()}
    for header in ("signature", "serial", "timestamp", "nonce"):
        cases[f"no {header}"] = [one for one in true if one[0] != f"wechatpay-{header}"]
        cases[f"{header} twice"] = [*true, (f"wechatpay-{header}", dict(true)[f"wechatpay-{header}"])]
    for off_s in (-86_400, -1_000, 1_000, 86_400):
        cases[f"off by {off_s} s"] = signed_headers(raw, now_s=now_s + off_s)
    return cases | {
        "no headers": [],
        "signed for the future": signed_headers(raw, now_s=now_s + 1_000),
        "another provider's": [("stripe-signature", f"t={now_s},v1={'0' * 64}")],
    }


def _with(true: Headers, header: str, value: str) -> Headers:
    return [(name, value if name == f"wechatpay-{header}" else known) for name, known in true]


def _signed(raw: bytes, headers: Headers) -> bytes:
    given = dict(headers)
    return f"{given['wechatpay-timestamp']}\n{given['wechatpay-nonce']}\n".encode() + raw + b"\n"


def _crossed(true: dict[str, Any], trade: Mapping[str, Any]) -> dict[str, bytes]:
    """Signed by WeChat Pay, and not for us, or not sealed for us."""
    others = {
        "another merchant": {"mchid": "1900000009"},
        "another application": {"appid": "wx0000000000000009"},
        "number is a path": {"out_trade_no": "../../refund"},
        "number is empty": {"out_trade_no": ""},
        "number is a number": {"out_trade_no": 1},
    }
    cases = {name: true | {"resource": sealed({**trade, **change})} for name, change in others.items()}
    seal = true["resource"]
    changed = {
        "sealed with another key": sealed(trade, key=b"f" * 32),
        "sealed with other data": seal | {"associated_data": "refund"},
        "another nonce": seal | {"nonce": "fdasflkja485"},
        "a short nonce": seal | {"nonce": "x"},
        "a nonce that is empty": seal | {"nonce": ""},
        "ciphertext cut": seal | {"ciphertext": seal["ciphertext"][:-4]},
        "ciphertext empty": seal | {"ciphertext": ""},
        "ciphertext is no Base64": seal | {"ciphertext": "%%%"},
        "not sealed": seal | {"algorithm": "none", "ciphertext": json.dumps(dict(trade))},
        "sealed in another way": seal | {"algorithm": "AEAD_SM4_GCM"},
        "sealed nothing": sealed(b""),
        "sealed no JSON": sealed(b"hello"),
        "sealed no UTF-8": sealed(b"\xff\xfe"),
        "sealed a list": sealed([]),
        "sealed too deep": sealed(b"[" * 100_000),
    }
    cases |= {name: true | {"resource": one} for name, one in changed.items()}
    return {name: _raw(said) for name, said in cases.items()}


def _no_messages(true: dict[str, Any]) -> dict[str, bytes]:
    """Signed by WeChat Pay, and no message."""
    changes: dict[str, dict[str, Any]] = {
        "id is a number": {"id": 1},
        "id is empty": {"id": ""},
        "id is a path": {"id": "../x"},
        "id is long": {"id": "E" * 65},
        "kind is a path": {"event_type": "a/b"},
        "kind is empty": {"event_type": ""},
        "time is text": {"create_time": "now"},
        "time is a number": {"create_time": 5},
        "resource is text": {"resource": "x"},
        "resource is null": {"resource": None},
    }
    cases = {f"no message: {name}": _raw(true | change) for name, change in changes.items()}
    return cases | {
        "no message: nothing": b"",
        "no message: no JSON": b"hello",
        "no message: null": b"null",
        "no message: a list": b"[]",
        "no message: nested": b"[" * 100_000,
        "no message: no UTF-8": b'{"id":"\xff"}',
    }
