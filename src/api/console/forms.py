"""From the fields of a form to the JSON body of a command: the same bodies, rules and refusals as the API's.

Empty fields are left out. People write amounts in credits, and times in their own zone.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from litestar.datastructures import FormMultiDict

from api.admin.codes import BadRequest
from application.catalogue.publish_prices import PublishPrices
from application.catalogue.set_route import SetRoute
from application.command import Command
from domain.secret import Secret

_NANO: Final = Decimal(1_000_000_000)
_NANO_MAX: Final = 2**63 - 1
_SPLIT: Final = re.compile(r"[\s,]+")
_ROWS_MAX: Final = 20
_AMOUNT_CHARS_MAX: Final = 40
_TOKENS: Final = ("input", "cached_input", "cache_write", "output", "request")
_UNITS: Final = ("image", "audio_second", "characters", "search")
#: What people write instead of a field.
_AMOUNTS: Final = {"amount_nano": "amount"}
_TIMES: Final = {
    "expires_us": "expires",
    "effective_us": "effective",
    "effective_from_us": "effective_from",
}
_HOURS: Final = {"overlap_s": "overlap_hours"}


def body_of(command: type[Command], form: FormMultiDict, *, zone: ZoneInfo) -> dict[str, Any]:
    """The body that a form means.

    Raises:
        BadRequest: a field cannot be read; the message names it.
    """
    body: dict[str, Any] = {}
    for name, hint in get_type_hints(command).items():
        if name == "permission":
            continue
        value = _value(name, hint, form, zone)
        if value is not None:
            body[name] = value
    if command is SetRoute:
        body["targets"] = _targets(form)
    if command is PublishPrices:
        body["entries"] = {str(form.get("alias", "")).strip(): _price(form)}
    return body


def _value(name: str, hint: Any, form: FormMultiDict, zone: ZoneInfo) -> object:
    if name in _AMOUNTS and _AMOUNTS[name] in form:
        return amount_nano(str(form[_AMOUNTS[name]]))
    if name in _TIMES and form.get(_TIMES[name]):
        return time_us(str(form[_TIMES[name]]), zone=zone, field=_TIMES[name])
    if name in _HOURS and form.get(_HOURS[name]):
        return _converted(str(form[_HOURS[name]]), int, _HOURS[name]) * 3600
    filled = [text for one in form.getall(name, []) if (text := str(one).strip())]
    return _plain(name, hint, filled) if filled else None


def _plain(name: str, hint: Any, filled: list[str]) -> object:
    if hint is Secret:
        return filled[0]
    if "tuple[" in str(hint):
        parts = [part for one in filled for part in _SPLIT.split(one) if part]
        return msgspec.to_builtins(_converted(parts, hint, name))
    return msgspec.to_builtins(_converted(filled[0], hint, name))


def _converted(value: object, hint: Any, field: str) -> Any:
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        raise BadRequest(f"{field} cannot be read") from None


def amount_nano(text: str) -> int:
    """An amount in credits, as `12.5` or `1,000`.

    Raises:
        BadRequest: it is none, or finer than a nano-credit.
    """
    try:
        amount = Decimal(text.replace(",", "").strip()[:_AMOUNT_CHARS_MAX]) * _NANO
        if not abs(amount) <= _NANO_MAX:
            raise BadRequest("amount is too large")
        if amount != amount.to_integral_value():
            raise BadRequest("amount has more than nine decimals")
        return int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        raise BadRequest("amount cannot be read") from None


def time_us(text: str, *, zone: ZoneInfo, field: str) -> int:
    """A time as a browser's field has it, in the visitor's zone.

    Raises:
        BadRequest: it is none.
    """
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        raise BadRequest(f"{field} cannot be read") from None


def _targets(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a route, in order; a row without a deployment is none."""
    targets = []
    for row in range(_ROWS_MAX):
        deployment_id = str(form.get(f"target.{row}", "")).strip()
        if deployment_id:
            weight = _converted(str(form.get(f"weight.{row}", "")) or "0", int, "weight")
            targets.append({"deployment_id": deployment_id, "weight": weight})
    return targets


def _price(form: Mapping[str, Any]) -> dict[str, str]:
    """The prices of one alias: of tokens always, of the rest what is filled in."""
    price = {
        name: text for name in (*_TOKENS, *_UNITS) if (text := str(form.get(f"price.{name}", "")).strip())
    }
    price.setdefault("cached_input", price.get("input", ""))
    price.setdefault("cache_write", price.get("input", ""))
    price.setdefault("request", "0")
    return price
