"""Long work is asked for once, of something that there is, and ends once."""

from uuid import UUID

import pytest

from domain import work as rules
from domain.fact import Stamp
from domain.refusal import AlreadyExists, BadField
from domain.work import Work, WorkAsked, WorkEnded, WorkKind

WORK = UUID(int=1)
AT = Stamp(now_us=5, actor="operator:x")


def asked(kind: WorkKind = "ledger", target: str = "") -> Work:
    (event,) = rules.ask(None, work_id=WORK, kind=kind, target=target, stamp=AT)
    return rules.evolve(None, event)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("rebuild", ""),
        ("rebuild", "request_log"),
        ("ledger", ""),
        ("charges", ""),
        ("charges", "2026-11"),
        ("journal", "beancount"),
        ("journal", "hledger"),
    ],
)
def test_what_can_be_asked_for(kind: WorkKind, target: str) -> None:
    assert asked(kind, target).asked == WorkAsked(
        work_id=WORK, kind=kind, target=target, occurred_us=5, actor="operator:x"
    )


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("rebuild", "../balances"),
        ("rebuild", "Balances"),
        ("ledger", "2026-11"),
        ("charges", "2026-13"),
        ("charges", "2026-11\n"),
        ("charges", "../../etc"),
        ("journal", ""),
        ("journal", "csv"),
    ],
)
def test_what_cannot(kind: WorkKind, target: str) -> None:
    """A target may become a file's name or a table's: nothing but what is listed passes."""
    with pytest.raises(BadField):
        asked(kind, target)


def test_an_id_is_used_once() -> None:
    with pytest.raises(AlreadyExists):
        rules.ask(asked(), work_id=WORK, kind="ledger", stamp=AT)


def test_the_first_end_counts() -> None:
    """Two workers may both believe that it is theirs."""
    end = {"work_id": WORK, "figures": {"rows": 1}, "problem": "", "stamp": AT}
    (event,) = rules.end(asked(), outcome="done", **end)  # type: ignore[arg-type]  # as the signature has them
    work = rules.evolve(asked(), event)
    assert isinstance(event, WorkEnded)
    assert work.ended == event
    assert rules.end(work, outcome="failed", **end) == []  # type: ignore[arg-type]  # as above
    assert rules.end(None, outcome="failed", **end) == []  # type: ignore[arg-type]  # as above
