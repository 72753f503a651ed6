"""Double entry in money: the two sides of each movement, derived from facts by versioned rules that are data.

The same form as the credit ledger's rules (`domain.ledger.postings`). A ledger is a currency in a mode: `EUR`, or `EUR test`
for what was paid with a provider's test keys; nothing moves between two of them. An amount that is negative moves the
other way round. Fields of a fact's `tax` count as its own; `by_transfer`, `through_psp` and `on_account` say how an order is paid,
`back_by_transfer` that a refund is paid by the bank, `set_off` that less is owed instead, `back_at_bank` and `back_at_psp` that one came
back from there.

Version 1 knows credited orders, the lines of payment providers and the bills of model providers; version 2 refunds and
disputes as well, version 3 what is bought on account. Revenue comes with a later one.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec

from domain.event import Event
from domain.ledger.postings import AccountRule
from domain.recharge.order import BY_TRANSFER, INVOICE, MANUAL

CURRENT_MONEY_RULES = 3
_NO_COUNTRY = "none"


class MoneyEntryRule(msgspec.Struct, frozen=True):
    """One movement: which field the amount is, and which one must be true, if any."""

    debit: str
    credit: str
    amount: str
    when: str | None = None


class MoneyRules(msgspec.Struct, frozen=True):
    """One version of the rules, as stored."""

    version: int
    accounts: dict[str, AccountRule]
    rules: dict[str, list[MoneyEntryRule]]


class MoneyPosting(msgspec.Struct, frozen=True):
    """Money moves from the debited to the credited account of a ledger, in minor units, never negative."""

    ledger: str
    debit: str
    credit: str
    amount_minor: int


def load_money_rules(version: int = CURRENT_MONEY_RULES) -> MoneyRules:
    """Read one version of the rules from the package."""
    raw = files("domain.money").joinpath("posting_rules", f"{version}.json").read_bytes()
    return msgspec.json.decode(raw, type=MoneyRules)


def ledger_of(currency: str, mode: str) -> str:
    """The name of a currency's books."""
    return currency if mode == "live" else f"{currency} {mode}"


def money_postings(rules: MoneyRules, event: Event) -> Iterator[MoneyPosting]:
    """The movements of one fact; empty amounts are left out."""
    entries = rules.rules.get(event.TOPIC)
    if not entries:
        return
    values = _values(event)
    ledger = ledger_of(values["currency"], values["mode"])
    for entry in entries:
        amount_minor: int = values[entry.amount]
        if not amount_minor or (entry.when is not None and not values[entry.when]):
            continue
        sides = (entry.debit, entry.credit) if amount_minor > 0 else (entry.credit, entry.debit)
        debit, credit = (rules.accounts[one].name.format_map(values) for one in sides)
        yield MoneyPosting(ledger, debit, credit, abs(amount_minor))


def _values(event: Event) -> dict[str, Any]:
    told = msgspec.structs.asdict(event).items()
    values: dict[str, Any] = {name: value for name, value in told if value is not msgspec.UNSET}
    values.setdefault("mode", "live")
    values |= _ways(values)
    tax = values.pop("tax", None)
    if isinstance(tax, msgspec.Struct):
        values |= msgspec.structs.asdict(tax)
        values["country"] = values["country"] or _NO_COUNTRY
    return values


def _ways(values: dict[str, Any]) -> dict[str, bool]:
    """By which way the money moves."""
    provider, came_back = values.get("provider"), values.get("succeeded") is True
    at_bank, set_off = provider in BY_TRANSFER, values.get("set_off") is True
    return {
        "by_transfer": provider == MANUAL,
        "on_account": provider == INVOICE,
        "through_psp": not at_bank,
        "back_by_transfer": at_bank and not set_off,
        "set_off": set_off,
        "back_at_bank": came_back and at_bank,
        "back_at_psp": came_back and not at_bank,
    }
