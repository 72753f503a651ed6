"""Alipay's wire format: signed parameters there, signed JSON back, and messages as signed forms.

A request and a message are signed over their parameters in order of names, `a=1&b=2`, as they are before they are encoded;
an answer over the very bytes of its JSON object. RSA2 is SHA-256 with RSA.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from adapters.checkout.rsa_keys import is_signature, sign
from application.checkout.ports import BadNotice, ProviderRefused, ProviderUnavailable

ZONE: Final = timezone(timedelta(hours=8))
SIGN_TYPE: Final = "RSA2"
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_FIELDS_MAX: Final = 100
_DONE: Final = "10000"
_BUSINESS: Final = frozenset({"40001", "40002", "40004"})
#: A matter of settings, or of now: the same question may be answered later.
_LATER: Final = (
    *("ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "isp.", "aop."),
    *("isv.invalid-signature", "isv.invalid-app-id", "isv.missing-signature", "isv.invalid-timestamp"),
)


def time_text(time_s: float) -> str:
    """In Alipay's zone, which is China's."""
    return datetime.fromtimestamp(time_s, tz=ZONE).strftime(_TIME)


def time_s(text: str) -> int:
    """Raises ValueError if it is no time."""
    return int(datetime.strptime(text, _TIME).replace(tzinfo=ZONE).timestamp())


def request_parameters(
    method: str,
    content: Mapping[str, Any],
    *,
    app_id: str,
    key: RSAPrivateKey,
    now_s: float,
    more: Mapping[str, str],
) -> dict[str, str]:
    """Everything that a request consists of, with its signature."""
    parameters = {
        "app_id": app_id,
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": SIGN_TYPE,
        "timestamp": time_text(now_s),
        "version": "1.0",
        "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        **{name: value for name, value in more.items() if value},
    }
    return {**parameters, "sign": sign(key, _joined(parameters))}


def read_answer(method: str, body: bytes, *, key: RSAPublicKey) -> bytes:
    """The JSON object that answers the request.

    Raises:
        ProviderRefused: Alipay says no; the reason is its code.
        ProviderUnavailable: it says that it may say otherwise later, or nobody can tell that it was Alipay.
    """
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        found = parts.get(f"{method.replace('.', '_')}_response", parts.get("error_response"))
        signature = msgspec.json.decode(parts.get("sign", msgspec.Raw(b'""')), type=str)
        said = msgspec.json.decode(found or b"", type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderUnavailable("an answer that cannot be read") from None
    if found is None or not is_signature(key, bytes(found), signature):
        raise ProviderUnavailable("an answer that is not signed")
    if said.code == _DONE:
        return bytes(found)
    reason = said.sub_code or said.code
    if said.code not in _BUSINESS or reason.startswith(_LATER):
        raise ProviderUnavailable(reason)
    raise ProviderRefused(reason)


def read_notice(raw: bytes, *, key: RSAPublicKey) -> dict[str, str]:
    """The fields of a message.

    Raises:
        BadNotice: it is no form, has a field twice, or Alipay has not signed it.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise BadNotice("the message is no form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadNotice("the message has a field twice")
    if fields.get("sign_type") != SIGN_TYPE or fields.get("charset", "utf-8").lower() != "utf-8":
        raise BadNotice("the message is signed in another way")
    signed = {name: value for name, value in fields.items() if name not in {"sign", "sign_type"}}
    if not is_signature(key, _joined(signed), fields.get("sign", "")):
        raise BadNotice("the signature is wrong")
    return fields


class _Said(msgspec.Struct, frozen=True):
    code: str
    sub_code: str = ""


def _joined(parameters: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters)).encode()
