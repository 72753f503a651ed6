"""Double entry: the two sides of every movement, derived from events by versioned rules that are data.

The rules stand in `posting_rules/N.json`, so that an auditor's replayer applies the same file without this
code. A rule names an account to debit and one to credit; account names are filled from the event's fields,
its slices and its stream. An event without a rule moves nothing between accounts, nor does a list that it has not.

One version, the newest, is applied to the whole log. That is the same as applying to each event the version of its
time: a later version only adds rules for what earlier events did not have.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from domain.event import Event

CURRENT_RULES = 5
_NAMES_KEPT: Final = 4_096


class AccountRule(msgspec.Struct, frozen=True):
    """A kind of account: chart-of-accounts code, normal side, and the floor below which it never goes."""

    code: int
    side: Literal["debit", "credit"]
    floor: int | None
    name: str


class EntryRule(msgspec.Struct, frozen=True):
    """One movement: from which field the amount comes, and over which list of slices it repeats, if any."""

    debit: str
    credit: str
    amount: str
    each: str | None = None


class PostingRules(msgspec.Struct, frozen=True, dict=True):
    """One version of the rules, as stored."""

    version: int
    accounts: dict[str, AccountRule]
    rules: dict[str, list[EntryRule]]

    @cached_property
    def names(self) -> dict[str, "AccountNames"]:
        """What fills the names of each kind of account."""
        return {kind: AccountNames(account.name) for kind, account in self.accounts.items()}


class Posting(msgspec.Struct, frozen=True, gc=False):
    """Credit moves from the debited to the credited account; both names are full. Amount in nano-credits."""

    debit: str
    credit: str
    amount_nano: int


def load_rules(version: int = CURRENT_RULES) -> PostingRules:
    """Read one version of the rules from the package."""
    return msgspec.json.decode(rules_file(version), type=PostingRules)


def rules_file(version: int) -> bytes:
    """The file of one version as it is, for replayers that do not have this code."""
    return files("domain.ledger").joinpath("posting_rules", f"{version}.json").read_bytes()


class AccountNames:
    """Full names of one kind of account. The last few thousand are remembered: most movements are on accounts just moved."""

    def __init__(self, template: str) -> None:
        self._fields = tuple(field for _, field, _, _ in Formatter().parse(template) if field)
        self._template = template
        self._filled = lru_cache(maxsize=_NAMES_KEPT)(self._fill)

    def of(self, event: Event, part: object, stream_id: UUID) -> str:
        return self._filled(*[_value(name, event, part, stream_id) for name in self._fields])

    def _fill(self, *values: object) -> str:
        return self._template.format_map(dict(zip(self._fields, values, strict=True)))


def _value(name: str, event: Event, part: object, stream_id: UUID) -> Any:
    """A field of the part, else of the event; a lease's own events do not repeat which lease it is."""
    value = getattr(part, name, None)
    if value is None:
        value = getattr(event, name, stream_id) if name == "lease_id" else getattr(event, name)
    return value


def postings(rules: PostingRules, event: Event, *, stream_id: UUID) -> Iterator[Posting]:
    """The movements of one event; empty amounts are left out. `stream_id` is the lease for lease events."""
    names = rules.names
    for entry in rules.rules.get(event.TOPIC, ()):
        for part in getattr(event, entry.each) or () if entry.each else (event,):
            if amount_nano := _value(entry.amount, event, part, stream_id):
                yield Posting(
                    debit=names[entry.debit].of(event, part, stream_id),
                    credit=names[entry.credit].of(event, part, stream_id),
                    amount_nano=amount_nano,
                )


class TrialBalance:
    """Balances of all accounts, credit positive: their sum is zero after every posting."""

    def __init__(self, rules: PostingRules) -> None:
        self._floored = {
            rule.name.split(":", 1)[0]: rule for rule in rules.accounts.values() if rule.floor is not None
        }
        self.balances: dict[str, int] = {}

    def post(self, posting: Posting) -> None:
        self.balances[posting.debit] = self.balances.get(posting.debit, 0) - posting.amount_nano
        self.balances[posting.credit] = self.balances.get(posting.credit, 0) + posting.amount_nano

    def total_nano(self) -> int:
        return sum(self.balances.values())

    def below_floor(self, *names: str) -> list[str]:
        """Which of `names` (all accounts if none are given) stand below the floor of their kind."""
        return [name for name in names or self.balances if self._is_below(name)]

    def _is_below(self, name: str) -> bool:
        rule = self._floored.get(name.split(":", 1)[0])
        if rule is None or rule.floor is None:
            return False
        balance_nano = self.balances.get(name, 0)
        return (balance_nano if rule.side == "credit" else -balance_nano) < rule.floor
