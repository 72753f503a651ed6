"""Lots that end: what expires is told of, and the same rules are found broken as by the built-in verification."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.event import Event
from tests.application.verify import test_lots as seeded
from tests.audit.exported import export
from tests.histories import ListLog, numbered
from tokenok_audit import Question, audit

#: Faults of the order in which holds take lots (P14) and of what leases say of lots are the other program's alone.
FOUND = [
    "an expired lot is lent",
    "what comes back of an expired lot lives on",
    "what comes back of a lot that is not over is gone",
    "a lot that has no end expires",
    "a lot expires before its end",
]


def audited(place: Path, story: list[tuple[UUID, Event]], question: Question | None = None) -> dict[str, Any]:
    log, versions = ListLog(), dict[UUID, int]()
    for stream_id, event in story:
        versions[stream_id] = versions.get(stream_id, 0) + 1
        log.extend(numbered(stream_id, versions[stream_id], [event]))
    export(place / "export", log)
    return audit(place / "export", question=question)


def test_what_expired_is_told_of(tmp_path: Path) -> None:
    """The story's charge has no price list; otherwise it is lawful, and its statement has a line for the breakage."""
    result = audited(tmp_path, seeded.Told().story, Question(str(seeded.ACCOUNT), 0, 2**62))
    assert result["counts"].keys() <= {"P12"}
    totals = result["accounts"][str(seeded.ACCOUNT)]
    assert (totals["granted_nano"], totals["charged_nano"], totals["expired_nano"]) == (1_150, 10, 90)
    assert totals["balance_nano"] == result["statement"]["closing_nano"] == 1_050
    lines = {(line["kind"], line["topic"]): line["amount_nano"] for line in result["statement"]["lines"]}
    assert lines == {
        ("granted", "wallet.credit-lot-granted.v1"): 1_150,
        ("charged", "lease.usage-charged.v1"): -10,
        ("expired", "wallet.lease-reduced.v1"): -10,
        ("expired", "wallet.lease-settled.v1"): -80,
    }


@pytest.mark.parametrize("name", FOUND)
def test_credit_after_its_end_is_found(tmp_path: Path, name: str) -> None:
    """P15, under the same name."""
    code, fault = seeded.FAULTS[name]
    story = seeded.Told().story
    fault(story)
    assert code in audited(tmp_path, story)["counts"]
