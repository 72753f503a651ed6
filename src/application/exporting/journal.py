"""The books as a journal for plain-text accounting: one transaction for each kind of event and day, balanced.

A day is one of UTC, of the time at which the log recorded a movement (ADR 37). Lots and leases are folded into their
customer's accounts. What is in memory is one sum for each day, customer and kind of movement.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from application.eventlog import RecordedEvent
from domain.event import TopicRegistry
from domain.ledger.postings import AccountRule, PostingRules, postings

_CLASSES: Final = {1: "Assets", 2: "Liabilities", 3: "Equity", 4: "Income", 5: "Expenses"}
_FOLDED: Final = re.compile(r":\{(lot_id|lease_id)\}")
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEPARATOR: Final = "\x1f"
_DAY_US: Final = 24 * 3600 * 1_000_000


class Account(msgspec.Struct, frozen=True, order=True):
    """`name` has the form that both programs read; `words` are what it stands for."""

    name: str
    words: str


class Leg(msgspec.Struct, frozen=True):
    """One side of a movement; positive in debit, as these programs have it. Amount in nano-credits."""

    account: Account
    amount_nano: int


class Transaction(msgspec.Struct, frozen=True):
    """All movements of one kind of event on one day."""

    day: str
    topic: str
    first_position: int
    last_position: int
    legs: tuple[Leg, ...]


class _Sums(msgspec.Struct):
    first_position: int
    last_position: int
    moved_nano: dict[tuple[str, str], int]  #: by debited and credited account


def transactions(
    events: Iterator[RecordedEvent], registry: TopicRegistry, rules: PostingRules
) -> Iterator[Transaction]:
    """In the order of days, then of topics."""
    folded = msgspec.structs.replace(
        rules, accounts={kind: _folded(kind, account) for kind, account in rules.accounts.items()}
    )
    sums: dict[tuple[int, str], _Sums] = {}
    booked_us = 0
    for recorded in events:
        if recorded.topic in rules.rules:
            booked_us = max(booked_us, recorded.recorded_at_us)
            _add(sums, recorded, booked_us // _DAY_US, folded, registry)
    for (day, topic), found in sorted(sums.items()):
        date = datetime.fromtimestamp(day * _DAY_US // 1_000_000, UTC).date()
        yield Transaction(
            date.isoformat(), topic, found.first_position, found.last_position, tuple(_legs(found.moved_nano))
        )


def _add(
    sums: dict[tuple[int, str], _Sums],
    recorded: RecordedEvent,
    day: int,
    rules: PostingRules,
    registry: TopicRegistry,
) -> None:
    event = registry.decode(recorded.topic, recorded.state)
    for posting in postings(rules, event, stream_id=recorded.stream_id):
        found = sums.get((day, recorded.topic))
        if found is None:
            found = sums[day, recorded.topic] = _Sums(recorded.position, recorded.position, {})
        found.last_position = recorded.position
        pair = (posting.debit, posting.credit)
        found.moved_nano[pair] = found.moved_nano.get(pair, 0) + posting.amount_nano


def _legs(moved_nano: dict[tuple[str, str], int]) -> Iterator[Leg]:
    for (debit, credit), amount_nano in sorted(moved_nano.items()):
        yield Leg(_account(debit), amount_nano)
        yield Leg(_account(credit), -amount_nano)


def _folded(kind: str, account: AccountRule) -> AccountRule:
    """The account without its lots and leases, its parts kept apart whatever stands in them."""
    _, *fields = _FOLDED.sub("", account.name).split(":")
    fields = [field for field in fields if field.startswith("{")]
    name = _SEPARATOR.join((_CLASSES[account.code // 1000], kind, *fields))
    return msgspec.structs.replace(account, name=name)


def _account(name: str) -> Account:
    head, *parts = name.split(_SEPARATOR)
    return Account(":".join((head, *map(_component, parts))), " ".join(parts))


def _component(text: str) -> str:
    """A part of an account's name: letters, digits and dashes, the first no small letter. Different texts stay different."""
    if _UUID.fullmatch(text):
        return text.upper()
    plain = re.sub("[^A-Za-z0-9]+", "-", text).strip("-")
    name = f"{plain[:1].upper()}{plain[1:]}" or "X"
    if re.fullmatch("[a-z][a-z0-9]*", text):
        return name
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
