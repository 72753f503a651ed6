"""Body logging as decided: off until switched on, nothing of a closed account, every reading a fact."""

from uuid import UUID

import pytest

from domain import bodies
from domain.accounts import Account
from domain.bodies import BodiesErased, BodyEvent, BodyLogging, BodyLoggingSet, BodyRead
from domain.fact import Stamp
from domain.refusal import BadField, NotFound, WrongState

ACCOUNT = Account(account_id=UUID(int=1))
CLOSED = Account(account_id=UUID(int=1), status="closed")
STAMP = Stamp(now_us=7, actor="system")


def switched(*, enabled: bool) -> BodyLoggingSet:
    return BodyLoggingSet(
        account_id=ACCOUNT.account_id, enabled=enabled, reason="case 12", occurred_us=7, actor="system"
    )


def fold(*events: BodyEvent) -> BodyLogging:
    logging = BodyLogging()
    for event in events:
        logging = bodies.evolve(logging, event)
    return logging


def test_nothing_is_kept_until_somebody_says_so() -> None:
    """And only what is another state than now is a fact."""
    for before, enabled, facts in (
        (fold(), False, []),
        (fold(), True, [switched(enabled=True)]),
        (fold(switched(enabled=True)), True, []),
        (fold(switched(enabled=True)), False, [switched(enabled=False)]),
    ):
        assert bodies.set_logging(before, ACCOUNT, enabled=enabled, reason="case 12", stamp=STAMP) == facts
        assert fold(*facts).enabled == (enabled and bool(facts))


def test_nothing_of_a_closed_account_is_kept() -> None:
    """It may still be switched off."""
    with pytest.raises(WrongState):
        bodies.set_logging(fold(), CLOSED, enabled=True, reason="x", stamp=STAMP)
    on = fold(switched(enabled=True))
    assert bodies.set_logging(on, CLOSED, enabled=False, reason="case 12", stamp=STAMP) == [
        switched(enabled=False)
    ]
    with pytest.raises(NotFound):
        bodies.set_logging(fold(), None, enabled=True, reason="x", stamp=STAMP)


def test_every_reading_is_a_fact() -> None:
    """With who and why, each time anew; it changes nothing else."""
    facts = bodies.note_read(ACCOUNT.account_id, request_id=UUID(int=9), reason="case 12", stamp=STAMP)
    assert facts == [
        BodyRead(
            account_id=ACCOUNT.account_id,
            request_id=UUID(int=9),
            reason="case 12",
            occurred_us=7,
            actor="system",
        )
    ]
    on = fold(switched(enabled=True))
    assert bodies.evolve(on, facts[0]) == on


def test_an_erasure_is_a_fact() -> None:
    """Of accounts that there are, closed ones too; logging stays as it was."""
    facts = bodies.note_erasure(CLOSED, reason="asked for", stamp=STAMP)
    assert facts == [
        BodiesErased(account_id=CLOSED.account_id, reason="asked for", occurred_us=7, actor="system")
    ]
    assert fold(switched(enabled=True), *facts).enabled
    with pytest.raises(NotFound):
        bodies.note_erasure(None, reason="asked for", stamp=STAMP)


def test_a_reason_is_needed() -> None:
    """For all three."""
    with pytest.raises(BadField):
        bodies.set_logging(fold(), ACCOUNT, enabled=True, reason="", stamp=STAMP)
    with pytest.raises(BadField):
        bodies.note_read(ACCOUNT.account_id, request_id=UUID(int=9), reason=" ", stamp=STAMP)
    with pytest.raises(BadField):
        bodies.note_erasure(ACCOUNT, reason="\n", stamp=STAMP)
