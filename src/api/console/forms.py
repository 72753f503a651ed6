"""From the fields of a form to the JSON body of a command: the same bodies, rules and refusals as the API's.

Empty fields are left out. People write amounts in credits, and times in their own zone.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from litestar.datastructures import FormMultiDict

from api.console.form_rows import (
    Form,
    amount_nano,
    announcement_texts,
    budget_zone,
    converted,
    deployment_cost,
    limit_of_money,
    offer_terms,
    price_entries,
    route_targets,
    sum_of_money,
    tax_numbers,
)
from api.console.unreadable import Unreadable
from application.announcements.set_announcement import SetAnnouncement
from application.budgets.set_budget import SetBudget
from application.catalogue.add_deployment import AddDeployment
from application.catalogue.change_deployment import ChangeDeployment
from application.catalogue.publish_prices import PublishPrices
from application.catalogue.set_route import SetRoute
from application.command import Command
from application.invoicing.issue_credit_note import IssueCreditNote
from application.invoicing.set_seller import SetSeller
from application.money.book_cost import BookProviderCost
from application.postpaid.propose_limit import ProposePostpaidLimit
from application.recharge.place_order import PlaceOrder
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.settle_order import SettleOrder
from application.refunds.accept_request import AcceptRefundRequest
from application.refunds.request_refund import RequestRefund
from domain.secret import Secret

_SPLIT: Final = re.compile(r"[\s,]+")
_LINES: Final = frozenset({"address"})  #: lists whose parts are lines, with blanks in them
#: What people write instead of a field.
_AMOUNTS: Final = {"amount_nano": "amount"}
_TIMES: Final = {
    "expires_us": "expires",
    "effective_us": "effective",
    "effective_from_us": "effective_from",
    "redeem_until_us": "redeem_until",
    "from_us": "from",
    "until_us": "until",
}
_HOURS: Final = {"overlap_s": "overlap_hours"}
#: Commands with fields that are made of several of the form's.
_MADE: Final[dict[type[Command], Callable[[Form], dict[str, Any]]]] = {
    SetRoute: route_targets,
    AddDeployment: deployment_cost,
    ChangeDeployment: deployment_cost,
    PublishPrices: price_entries,
    SetAnnouncement: announcement_texts,
    SetRechargeOffer: offer_terms,
    PlaceOrder: sum_of_money,
    ProposePostpaidLimit: limit_of_money,
    SetBudget: budget_zone,
    SettleOrder: sum_of_money,
    RequestRefund: sum_of_money,
    AcceptRefundRequest: sum_of_money,
    IssueCreditNote: sum_of_money,
    SetSeller: tax_numbers,
    BookProviderCost: sum_of_money,
}
#: A text area, of which each line is one.
#: Fields of a value of their own, such as `tax_id.kind`; without a value there is none.
_PARTS: Final = {"tax_id": ("kind", "value")}


def body_of(
    command: type[Command], form: FormMultiDict, *, zone: ZoneInfo, only: frozenset[str] | None = None
) -> dict[str, Any]:
    """The body that a form means; with `only`, of these fields alone: others are not even read.

    Raises:
        Unreadable: a field cannot be read; the message names it.
        BadField: a currency is none.
    """
    made = _MADE[command](form) if command in _MADE else {}
    body: dict[str, Any] = {}
    for name, hint in get_type_hints(command).items():
        if name == "permission" or name in made or (only is not None and name not in only):
            continue
        value = _value(name, hint, form, zone)
        if value is not None or name in _owed(command):
            body[name] = value
    return body | made


def _owed(command: type[Command]) -> set[str]:
    """Fields that must be given and may be nothing: an empty one says so."""
    hints = get_type_hints(command)
    required = (one.name for one in msgspec.structs.fields(command) if one.required)
    return {name for name in required if type(None) in get_args(hints[name])}


def _value(name: str, hint: Any, form: FormMultiDict, zone: ZoneInfo) -> object:
    if name in _AMOUNTS and _AMOUNTS[name] in form:
        return amount_nano(str(form[_AMOUNTS[name]]))
    if name in _TIMES and form.get(_TIMES[name]):
        return time_us(str(form[_TIMES[name]]), zone=zone, field=_TIMES[name])
    if name in _HOURS and form.get(_HOURS[name]):
        return converted(str(form[_HOURS[name]]), int, _HOURS[name]) * 3600
    if name in _PARTS:
        parts = {part: str(form.get(f"{name}.{part}", "")).strip() for part in _PARTS[name]}
        return parts if parts["value"] else None
    filled = [text for one in form.getall(name, []) if (text := str(one).strip())]
    return _plain(name, hint, filled) if filled else None


def _plain(name: str, hint: Any, filled: list[str]) -> object:
    if hint is Secret:
        return filled[0]
    if name in _LINES:
        return [line.strip() for one in filled for line in one.splitlines() if line.strip()]
    if "tuple[" in str(hint):
        parts = [part for one in filled for part in _SPLIT.split(one) if part]
        return msgspec.to_builtins(converted(parts, hint, name))
    return msgspec.to_builtins(converted(filled[0], hint, name))


def time_us(text: str, *, zone: ZoneInfo, field: str) -> int:
    """A time as a browser's field has it, in the visitor's zone.

    Raises:
        Unreadable: it is none.
    """
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        raise Unreadable(field) from None
