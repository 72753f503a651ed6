"""What the audit program says of one account."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from application.eventlog import NewEvent
from tests.application.verify import test_verify as seeded
from tests.audit.exported import export
from tests.histories import START_US, ListLog, Simulation
from tokenok_audit import Question, Unreadable, audit, question_of

ACCOUNT = "00000000-0000-0000-0000-000000000001"


def _statement(place: Path, question: Question) -> Any:
    return audit(place, question=question)["statement"]


def _events(seed: int) -> Sequence[NewEvent]:
    return [event for group in Simulation(Random(seed)).groups(300) for event in group]


def test_the_closing_of_one_period_is_the_opening_of_the_next(tmp_path: Path) -> None:
    """P20: whatever the periods; all of them together are the balance."""
    export(tmp_path / "export", ListLog(_events(4)))
    result = audit(tmp_path / "export")
    starts_us = [0, START_US + 100, START_US + 101, START_US + 700, 2**62]
    for account_id, totals in result["accounts"].items():
        closing_nano, charges = 0, 0
        for from_us, until_us in pairwise(starts_us):
            statement = _statement(tmp_path / "export", Question(account_id, from_us, until_us))
            assert statement["opening_nano"] == closing_nano
            moved_nano = sum(line["amount_nano"] for line in statement["lines"])
            closing_nano = statement["closing_nano"]
            assert closing_nano == statement["opening_nano"] + moved_nano
            charged = [line for line in statement["lines"] if line["kind"] == "charged"]
            by_key = statement["keys"]
            assert sum(one["charged_nano"] for one in by_key) == -sum(one["amount_nano"] for one in charged)
            charges += sum(one["charges"] for one in by_key)
        assert closing_nano == totals["balance_nano"]
        assert charges


def test_a_statement_says_what_moved(tmp_path: Path) -> None:
    """Grant and charge of the story, signed as the customer sees them; lending and giving back move nothing."""
    export(tmp_path / "export", ListLog(seeded._stored(seeded._story())))
    statement = _statement(tmp_path / "export", Question(ACCOUNT, 0, 2**62))
    assert statement["lines"] == [
        {
            "kind": "charged",
            "topic": "lease.usage-charged.v1",
            "account": "usage",
            "movements": 1,
            "amount_nano": -90,
        },
        {
            "kind": "granted",
            "topic": "wallet.credit-lot-granted.v1",
            "account": "issued",
            "movements": 1,
            "amount_nano": 1_000,
        },
    ]
    assert statement["keys"] == [{"key_id": str(seeded.KEY), "charges": 1, "charged_nano": 90}]
    assert (statement["opening_nano"], statement["closing_nano"]) == (0, 910)


@pytest.mark.parametrize(
    ("month", "first", "behind"), [("2026-11", (2026, 11), (2026, 12)), ("2026-12", (2026, 12), (2027, 1))]
)
def test_a_month_is_one_of_utc(month: str, first: tuple[int, int], behind: tuple[int, int]) -> None:
    """From its first microsecond to before that of the next."""
    question = question_of(ACCOUNT, month)
    start, end = (datetime(year, number, 1, tzinfo=UTC).timestamp() for year, number in (first, behind))
    assert question == Question(ACCOUNT, int(start) * 10**6, int(end) * 10**6)


@pytest.mark.parametrize(
    ("account", "month"), [(None, "2026-11"), ("x", None), (ACCOUNT, "2026-13"), (ACCOUNT, "november")]
)
def test_what_is_no_question_is_refused(account: str | None, month: str | None) -> None:
    """Better than an answer to another one."""
    with pytest.raises(Unreadable):
        question_of(account, month)
