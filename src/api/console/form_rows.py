"""What a form says in several fields that belong together: routes, prices, texts by language, offers, sums of money."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from api.console.languages import LANGUAGES
from api.console.unreadable import Unreadable
from domain.recharge.currencies import exponent_of

NANO: Final = Decimal(1_000_000_000)
_NANO_MAX: Final = 2**63 - 1
_ROWS_MAX: Final = 20
_AMOUNT_CHARS_MAX: Final = 40
_PPM_OF_PERCENT: Final = 10_000
_TOKENS: Final = ("input", "cached_input", "cache_write", "output", "request")
_UNITS: Final = ("cache_write_long", "image", "audio_second", "characters", "search")

Form = Mapping[str, Any]


def route_targets(form: Form) -> dict[str, Any]:
    """Rows of a route, in order; a row without a deployment is none."""
    targets = []
    for row in range(_ROWS_MAX):
        deployment_id = _text(form, f"target.{row}")
        if deployment_id:
            weight = converted(_text(form, f"weight.{row}") or "0", int, "weight")
            targets.append({"deployment_id": deployment_id, "weight": weight})
    return {"targets": targets}


def price_entries(form: Form) -> dict[str, Any]:
    """The prices of one alias: of tokens always, of the rest what is filled in; the markup in percent."""
    markup = _text(form, "markup")
    more = {"markup_ppm": share_ppm(markup, "markup")} if markup else {}
    return {"entries": {_text(form, "alias"): _price(form, "price")}} | more


def deployment_cost(form: Form) -> dict[str, Any]:
    """What the provider takes for a model, if that is said; written as prices are."""
    return {"cost": _price(form, "cost")} if _text(form, "cost.input") or _text(form, "cost.output") else {}


def _price(form: Form, of: str) -> dict[str, str]:
    price = {name: text for name in (*_TOKENS, *_UNITS) if (text := _text(form, f"{of}.{name}"))}
    price.setdefault("cached_input", price.get("input", ""))
    price.setdefault("cache_write", price.get("input", ""))
    price.setdefault("request", "0")
    return price


def announcement_texts(form: Form) -> dict[str, Any]:
    """By language; one without a title is none."""
    return {
        "texts": {
            language: {"title": title, "body": _text(form, f"body.{language}")}
            for language in LANGUAGES
            if (title := _text(form, f"title.{language}"))
        }
    }


def sum_of_money(form: Form) -> dict[str, Any]:
    """An amount as people write it, `money`, in the form's currency."""
    text = _text(form, "money")
    return {"amount_minor": minor(text, _text(form, "currency"), "amount")} if text else {}


def limit_of_money(form: Form) -> dict[str, Any]:
    """What may be unpaid at a time, as people write it."""
    text = _text(form, "money")
    return {"limit_minor": minor(text, _text(form, "currency"), "limit")} if text else {}


def tax_numbers(form: Form) -> dict[str, Any]:
    """Of a seller: a kind and a value in each row."""
    rows = _rows(form, "tax_value", "tax_kind")
    return {"tax_ids": [{"kind": kind, "value": value} for value, kind in rows]}


def budget_zone(form: Form) -> dict[str, Any]:
    """A rolling window counts hours of UTC, whatever zone the form suggests for days and months."""
    return {"zone": "UTC"} if _text(form, "window") == "rolling" else {}


def offer_terms(form: Form) -> dict[str, Any]:
    """What credit costs in a currency: credits for one unit of it, packages, free amounts, tiers and taxes."""
    currency = _text(form, "currency")
    terms: dict[str, Any] = {
        "rate_num": amount_nano(_text(form, "credits_per_unit"), "credits_per_unit"),
        "rate_den": 10 ** exponent_of(currency),
        "packages": [
            {
                "amount_minor": minor(amount, currency, "packages"),
                "bonus_nano": amount_nano(bonus or "0", "packages"),
            }
            for amount, bonus in _rows(form, "package", "package_bonus")
        ],
        "bonus": [
            {"from_minor": minor(begin, currency, "bonus"), "bonus_ppm": share_ppm(percent, "bonus")}
            for begin, percent in _rows(form, "tier", "tier_percent")
        ],
        "taxes": [
            {"country": country.upper(), "rate_ppm": share_ppm(percent, "taxes")}
            for country, percent in _rows(form, "tax_country", "tax_percent")
        ],
        "tax_included": bool(_text(form, "tax_included")),
        "open": not _text(form, "closed"),
    }
    for field, name in (("min_minor", "least"), ("max_minor", "most"), ("approval_minor", "approval")):
        if text := _text(form, name):
            terms[field] = minor(text, currency, name)
    return terms


def amount_nano(text: str, field: str = "amount") -> int:
    """An amount in credits, as `12.5` or `1,000`.

    Raises:
        Unreadable: it is none, or finer than a nano-credit.
    """
    amount = _decimal(text, field) * NANO
    if not abs(amount) <= _NANO_MAX:
        raise Unreadable(field, "is too large")
    if amount != amount.to_integral_value():
        raise Unreadable(field, "has more than nine decimals")
    return int(amount)


def minor(text: str, currency: str, field: str) -> int:
    """An amount of money, as `12.50`, in minor units of its currency.

    Raises:
        Unreadable: it is none, or finer than the currency is.
    """
    amount = _decimal(text, field).scaleb(exponent_of(currency))
    if not abs(amount) <= _NANO_MAX:
        raise Unreadable(field, "is too large")
    if amount != amount.to_integral_value():
        raise Unreadable(field, f"has more decimals than {currency}")
    return int(amount)


def converted(value: object, hint: Any, field: str) -> Any:
    """As what the command wants.

    Raises:
        Unreadable: it is something else; the message names the field and not the value.
    """
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        raise Unreadable(field, "cannot be read") from None


def share_ppm(percent: str, field: str) -> int:
    """A share as people write it; nothing is none. Raises: Unreadable: it is no number, or too fine or too large."""
    parts = _decimal(percent or "0", field) * _PPM_OF_PERCENT
    if not abs(parts) <= _NANO_MAX or parts != parts.to_integral_value():
        raise Unreadable(field, "is too fine or too large")
    return int(parts)


def _decimal(text: str, field: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", "").strip()[:_AMOUNT_CHARS_MAX])
    except (InvalidOperation, ValueError):
        raise Unreadable(field, "cannot be read") from None
    if not number.is_finite():
        raise Unreadable(field, "cannot be read")
    return number


def _rows(form: Form, first: str, second: str) -> list[tuple[str, str]]:
    """Rows of two fields; one whose first is empty is none."""
    return [
        (one, _text(form, f"{second}.{row}"))
        for row in range(_ROWS_MAX)
        if (one := _text(form, f"{first}.{row}"))
    ]


def _text(form: Form, name: str) -> str:
    return str(form.get(name, "")).strip()
