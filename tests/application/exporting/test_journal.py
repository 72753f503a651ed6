"""The books as a journal: Beancount reads it, it balances to the nano-credit, and it is the trial balance."""

import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core import data as entries

from application.exporting.journal import transactions
from application.exporting.journal_text import beancount, hledger
from domain.ledger.postings import TrialBalance, load_rules, postings
from domain.topics import REGISTRY
from tests.histories import ListLog, history

RULES = load_rules()
LOG = ListLog(history(3, steps=300), pace_us=60_000_000)
NANO = Decimal(1) / 10**9
CLASSES = {1: "Assets", 2: "Liabilities", 3: "Equity", 4: "Income", 5: "Expenses"}


def _text(render: object) -> str:
    return "".join(render(transactions(iter(LOG.events), REGISTRY, RULES)))  # type: ignore[operator]  # one of the two


def _trial_by_class() -> dict[str, Decimal]:
    """What the books say, debit positive."""
    trial, sums = TrialBalance(RULES), Counter[str]()
    codes = {rule.name.split(":")[0]: rule.code for rule in RULES.accounts.values()}
    for one in LOG.events:
        event = REGISTRY.decode(one.topic, one.state)
        for posting in postings(RULES, event, stream_id=one.stream_id):
            trial.post(posting)
    for name, balance_nano in trial.balances.items():
        sums[CLASSES[codes[name.split(":")[0]] // 1000]] -= balance_nano
    return {name: nano * NANO for name, nano in sums.items()}


def test_beancount_reads_it_without_a_word() -> None:
    """No parse error, no account that was not opened, nothing that does not balance; and the sums are the books'."""
    found, errors, _ = loader.load_string(_text(beancount))
    assert errors == []
    sums: Counter[str] = Counter()
    for entry in found:
        if isinstance(entry, entries.Transaction):
            assert sum(leg.units.number for leg in entry.postings) == 0
            for leg in entry.postings:
                sums[leg.account.split(":")[0]] += leg.units.number
    assert dict(sums) == _trial_by_class()


def test_hledger_would_read_it() -> None:
    """By a strict reading of its grammar: declared accounts, two blanks before amounts, every transaction balanced."""
    declared, open_nano, sums = set(), 0, Counter[str]()
    for line in _text(hledger).splitlines():
        if account := re.fullmatch(r"account (\S+)", line):
            declared.add(account[1])
        elif leg := re.fullmatch(r"    (\S+)  (-?\d+\.\d{9}) CREDIT", line):
            assert leg[1] in declared
            open_nano += int(leg[2].replace(".", ""))
            sums[leg[1].split(":")[0]] += Decimal(leg[2])
        else:
            assert re.fullmatch(
                r"|commodity 1\.0{9} CREDIT|\d{4}-\d\d-\d\d \* [a-z.0-9-]+|    ; [^\x00-\x1f]*", line
            )
            assert open_nano == 0
    assert open_nano == 0
    assert dict(sums) == _trial_by_class()


def test_a_day_is_one_of_utc_and_positions_say_what_is_in_it() -> None:
    """Each transaction holds the events of its topic between two positions that were recorded on its day."""
    found = list(transactions(iter(LOG.events), REGISTRY, RULES))
    assert len({one.day for one in found}) > 1
    recorded = {one.position: one for one in LOG.events}
    for one in found:
        for position in (one.first_position, one.last_position):
            day = datetime.fromtimestamp(recorded[position].recorded_at_us / 1e6, UTC).date().isoformat()
            assert (recorded[position].topic, day) == (one.topic, one.day)


def test_names_that_differ_stay_different() -> None:
    """Accounts are named after models, and these are any text: nothing is added up that is not one account."""
    aliases = {one.words for one in _opened() if one.name.startswith("Income:Usage:")}
    names = {one.name for one in _opened() if one.name.startswith("Income:Usage:")}
    assert len(names) == len(aliases) > 5


def _opened() -> set[object]:
    return {leg.account for one in transactions(iter(LOG.events), REGISTRY, RULES) for leg in one.legs}  # type: ignore[misc]  # as told


@pytest.mark.parametrize("render", [beancount, hledger])
def test_the_same_journal_twice_is_equal(render: object) -> None:
    """Nothing in it says when it was made."""
    assert _text(render) == _text(render)
