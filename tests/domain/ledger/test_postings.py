"""Double entry: every movement has two sides, and the rules are data."""

import json
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from domain.event import Event
from domain.ledger.events import LeaseFenced, LeaseRecallRequested
from domain.ledger.lots import VoidedSlice
from domain.ledger.postings import CURRENT_RULES, Posting, TrialBalance, load_rules, postings
from domain.topics import REGISTRY
from tests.domain.ledger.facts import (
    ACCOUNT,
    FIRST,
    LEASE,
    NEW,
    NOW,
    OLD,
    OWNER,
    SECOND,
    abandoned,
    adjusted,
    admitted,
    charged,
    closed,
    extended,
    fenced,
    granted,
    lot,
    lot_expired,
    lot_voided,
    opened,
    reduced,
    released,
    settled,
    slices,
)

RULES = load_rules()
SAMPLES = Path(__file__).parents[2] / "golden" / "events"
WALLET_STREAM = UUID(int=77)
OLD_LOT, NEW_LOT = f"wallet:{ACCOUNT}:{OLD}", f"wallet:{ACCOUNT}:{NEW}"
LEASED = f"leased:{ACCOUNT}:{LEASE}"


def post(*events: Event) -> TrialBalance:
    balances = TrialBalance(RULES)
    for event in events:
        stream_id = WALLET_STREAM if event.TOPIC.startswith("wallet.") else LEASE
        for posting in postings(RULES, event, stream_id=stream_id):
            balances.post(posting)
    return balances


# --- events to postings


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (lot(100), [Posting("issued:paid", OLD_LOT, 100)]),
        (granted((OLD, 60), (NEW, 5)), [Posting(OLD_LOT, LEASED, 60), Posting(NEW_LOT, LEASED, 5)]),
        (extended((NEW, 5)), [Posting(NEW_LOT, LEASED, 5)]),
        (lot_expired(7, at_us=NOW), [Posting(OLD_LOT, "breakage", 7)]),
        (
            msgspec.structs.replace(reduced((NEW, 5)), expired=slices((OLD, 1)), amount_nano=6),
            [Posting(LEASED, NEW_LOT, 5), Posting(LEASED, "breakage", 1)],
        ),
        (
            msgspec.structs.replace(settled((NEW, 5), charged_nano=9), expired=slices((OLD, 1))),
            [Posting(LEASED, NEW_LOT, 5), Posting(LEASED, "breakage", 1)],
        ),
        (adjusted("credit", 7, NEW), [Posting("issued:goodwill", NEW_LOT, 7)]),
        (adjusted("debit", 7, OLD), [Posting(OLD_LOT, "issued:goodwill", 7)]),
        (lot_voided(7), [Posting(OLD_LOT, "issued:paid", 7)]),
        (
            msgspec.structs.replace(reduced((NEW, 5)), voided=(VoidedSlice(OLD, 1, "promo"),), amount_nano=6),
            [Posting(LEASED, NEW_LOT, 5), Posting(LEASED, "issued:promo", 1)],
        ),
        (
            msgspec.structs.replace(settled((NEW, 5)), voided=(VoidedSlice(OLD, 1, "paid"),)),
            [Posting(LEASED, NEW_LOT, 5), Posting(LEASED, "issued:paid", 1)],
        ),
        (reduced((NEW, 5), (OLD, 1)), [Posting(LEASED, NEW_LOT, 5), Posting(LEASED, OLD_LOT, 1)]),
        (settled((OLD, 9), charged_nano=3, charges=1), [Posting(LEASED, OLD_LOT, 9)]),
        (settled(charged_nano=3, charges=1), []),
        (charged(FIRST, hold_nano=60, charge_nano=45), [Posting(LEASED, "usage:big", 45)]),
        (
            charged(FIRST, hold_nano=60, charge_nano=60, shortfall_nano=7),
            [Posting(LEASED, "usage:big", 60), Posting("expense:shortfall", "usage:big", 7)],
        ),
        (charged(FIRST, hold_nano=0, charge_nano=0), []),
    ],
    ids=lambda value: value.TOPIC if isinstance(value, Event) else "",
)
def test_credit_moves_between_named_accounts(event: Event, expected: list[Posting]) -> None:
    """Each slice is a movement of its own; what is zero is left out."""
    stream_id = WALLET_STREAM if event.TOPIC.startswith("wallet.") else LEASE
    assert list(postings(RULES, event, stream_id=stream_id)) == expected


@pytest.mark.parametrize(
    "event",
    [
        LeaseRecallRequested(account_id=ACCOUNT, by=OWNER, wanted_nano=7, occurred_us=NOW),
        opened(100),
        admitted(FIRST, 60),
        released(FIRST, 60),
        abandoned(FIRST, 60),
        closed(5, 1),
        fenced(5, 1),
    ],
    ids=lambda event: event.TOPIC,
)
def test_what_moves_no_credit_has_no_postings(event: Event) -> None:
    """A hold is a promise inside a lease, not a movement."""
    assert list(postings(RULES, event, stream_id=LEASE)) == []


def test_a_whole_life_adds_up() -> None:
    """From grant to settlement: issued credit is what is left and what was used, and the lease is empty."""
    balances = post(
        lot(100),
        lot(50, NEW),
        granted((OLD, 100), (NEW, 10)),
        opened(110),
        admitted(FIRST, 60),
        charged(FIRST, hold_nano=60, charge_nano=60, shortfall_nano=7),
        admitted(SECOND, 20),
        abandoned(SECOND, 20),
        fenced(60, 1),
        settled((NEW, 10), (OLD, 40), charged_nano=60, charges=1),
    )
    assert balances.balances == {
        "issued:paid": -150,
        OLD_LOT: 40,
        NEW_LOT: 50,
        LEASED: 0,
        "usage:big": 67,
        "expense:shortfall": -7,
    }
    assert balances.total_nano() == 0
    assert balances.below_floor() == []


# --- floors


def test_an_overdrawn_account_is_named() -> None:
    """Wallets, leases and usage do not go below zero; credit issued may, for it is the other side."""
    balances = post(granted((OLD, 5)), charged(FIRST, hold_nano=9, charge_nano=9))
    assert set(balances.below_floor()) == {OLD_LOT, LEASED}
    assert balances.below_floor(LEASED, "usage:big") == [LEASED]
    assert post(lot(5)).below_floor() == []


def test_a_debit_account_has_its_floor_on_the_other_side() -> None:
    """The operator's shortfall only ever grows."""
    balances = TrialBalance(RULES)
    balances.post(Posting("expense:shortfall", "usage:big", 5))
    assert balances.below_floor("expense:shortfall") == []
    balances.post(Posting("usage:big", "expense:shortfall", 6))
    assert balances.below_floor("expense:shortfall") == ["expense:shortfall"]


def test_an_account_that_was_never_posted_stands_at_zero() -> None:
    """Asking for it is no error, and makes no account."""
    balances = TrialBalance(RULES)
    assert balances.below_floor(OLD_LOT) == []
    assert balances.balances == {}


# --- the rules as data


@pytest.mark.parametrize("version", range(1, CURRENT_RULES + 1))
def test_the_stored_rules_are_read_as_they_stand(version: int) -> None:
    """An auditor's replayer reads the same file without this code: nothing in it is ignored or defaulted."""
    stored = files("domain.ledger").joinpath("posting_rules", f"{version}.json").read_bytes()
    read = json.loads(msgspec.json.encode(load_rules(version)))
    for rule in (entry for entries in read["rules"].values() for entry in entries):
        if rule["each"] is None:
            del rule["each"]
    assert read == json.loads(stored)


@pytest.mark.parametrize("version", range(1, CURRENT_RULES))
def test_a_later_version_moves_what_earlier_events_moved(version: int) -> None:
    """So one version is right for the whole log: it says something new only of what earlier events did not have."""
    before = load_rules(version)
    assert before.rules.keys() <= RULES.rules.keys()
    for topic, entries in before.rules.items():
        assert RULES.rules[topic][: len(entries)] == entries
        fact = REGISTRY.decode(topic, (SAMPLES / f"{topic}.json").read_bytes())
        assert list(postings(RULES, fact, stream_id=LEASE)) == list(postings(before, fact, stream_id=LEASE))
    assert {name: RULES.accounts[name] for name in before.accounts} == before.accounts


def test_every_rule_is_of_a_topic_and_accounts_that_exist() -> None:
    """A misspelt topic would move nothing, in silence."""
    assert RULES.rules.keys() <= REGISTRY.topics().keys()
    used = {
        name for entries in RULES.rules.values() for entry in entries for name in (entry.debit, entry.credit)
    }
    assert used == set(RULES.accounts)


def test_kinds_of_accounts_are_told_apart_by_their_first_word() -> None:
    """Floors are looked up by it: two kinds with the same first word would share one."""
    words = [rule.name.split(":", 1)[0] for rule in RULES.accounts.values()]
    assert len(words) == len(set(words))


def test_an_unknown_version_of_the_rules_is_an_error() -> None:
    """Nothing is posted by rules that do not exist."""
    with pytest.raises(FileNotFoundError):
        load_rules(999)


def test_an_alias_may_look_like_a_format() -> None:
    """Names from customers are put in, never interpreted."""
    event = msgspec.structs.replace(charged(FIRST, hold_nano=9, charge_nano=9), alias="{account_id}:x")
    assert [posting.credit for posting in postings(RULES, event, stream_id=LEASE)] == ["usage:{account_id}:x"]
    assert LeaseFenced.TOPIC not in RULES.rules
