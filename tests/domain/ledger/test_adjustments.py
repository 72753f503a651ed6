"""Who may ask for an adjustment, and who may agree to it."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.fact import SYSTEM, Actor, Stamp
from domain.ledger.adjustments import (
    Adjustment,
    AdjustmentApproved,
    AdjustmentDenied,
    AdjustmentRequested,
    approve,
    ask,
    deny,
    evolve,
)
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from tests.spec import Decision, Spec

SPEC: Spec[Adjustment] = Spec(evolve, initial=Adjustment())
ID, ACCOUNT = UUID(int=1), UUID(int=2)
FIRST, SECOND = Actor("operator", UUID(int=3)), Actor("operator", UUID(int=4))


def stamp(by: Actor) -> Stamp:
    return Stamp(now_us=9, actor=by.label)


def asked(*, by: Actor = FIRST, **changes: Any) -> AdjustmentRequested:
    fact = AdjustmentRequested(
        adjustment_id=ID,
        account_id=ACCOUNT,
        kind="debit",
        amount_nano=500,
        reason="served twice",
        waits=True,
        occurred_us=5,
        actor=by.label,
    )
    return msgspec.structs.replace(fact, **changes)


def approved(by: Actor = SECOND) -> AdjustmentApproved:
    return AdjustmentApproved(adjustment_id=ID, occurred_us=9, actor=by.label)


def denied(by: Actor = SECOND) -> AdjustmentDenied:
    return AdjustmentDenied(adjustment_id=ID, reason="no", occurred_us=9, actor=by.label)


def approving(*given: Any, by: Actor) -> Decision:
    return SPEC.given(*given).when(
        lambda adjustment: approve(adjustment, adjustment_id=ID, by=by, stamp=stamp(by))
    )


def denying(*given: Any, by: Actor, reason: str = "no") -> Decision:
    return SPEC.given(*given).when(
        lambda adjustment: deny(adjustment, adjustment_id=ID, by=by, reason=reason, stamp=stamp(by))
    )


def test_it_is_asked_for_once() -> None:
    """The same again, by whomever and later, does nothing; a void's amount may have changed meanwhile."""
    SPEC.given().when(lambda state: ask(state, asked())).then(asked())
    SPEC.given(asked()).when(lambda state: ask(state, asked(by=SECOND, occurred_us=7))).then_nothing()
    void = asked(kind="void", lot_id=UUID(int=8))
    SPEC.given(void).when(
        lambda state: ask(state, msgspec.structs.replace(void, amount_nano=3))
    ).then_nothing()


@pytest.mark.parametrize(
    "changes",
    [{"amount_nano": 501}, {"kind": "credit"}, {"account_id": UUID(int=9)}, {"ref": ID}, {"reason": "other"}],
    ids=str,
)
def test_an_id_is_of_one_adjustment(changes: dict[str, Any]) -> None:
    """What differs in anything is another one."""
    SPEC.given(asked()).when(lambda state: ask(state, asked(**changes))).then_refused(AlreadyExists)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 501], ids=repr)
def test_a_reason_can_be_shown(reason: str) -> None:
    """Whoever reads the log later wants to know why."""
    SPEC.given().when(lambda state: ask(state, asked(reason=reason))).then_refused(BadField)
    denying(asked(), by=SECOND, reason=reason).then_refused(BadField)


def test_another_operator_agrees() -> None:
    """Once: agreeing again does nothing."""
    approving(asked(), by=SECOND).then(approved())
    approving(asked(), approved(), by=SECOND).then_nothing()
    assert SPEC.fold(asked(), approved()).state == "posted"


def test_another_operator_does_not_agree() -> None:
    """Once, and for good."""
    denying(asked(), by=SECOND).then(denied())
    denying(asked(), denied(), by=SECOND).then_nothing()
    approving(asked(), denied(), by=SECOND).then_refused(WrongState)
    assert SPEC.fold(asked(), denied()).state == "denied"


def test_who_asked_cannot_decide() -> None:
    """Two pairs of eyes, for a no as well: else a denial would be a way to take back what another one is about to see."""
    approving(asked(), by=FIRST).then_refused(SecondOperatorNeeded)
    denying(asked(), by=FIRST).then_refused(SecondOperatorNeeded)


def test_the_command_line_of_the_server_is_nobody() -> None:
    """It may ask; an operator decides."""
    approving(asked(), by=SYSTEM).then_refused(NotPermitted)
    denying(asked(), by=SYSTEM).then_refused(NotPermitted)
    approving(asked(by=SYSTEM), by=SECOND).then(approved())
    approving(asked(by=SYSTEM), by=SYSTEM).then_refused(SecondOperatorNeeded)


def test_what_is_posted_cannot_be_denied() -> None:
    """An entry is undone by another entry."""
    denying(asked(), approved(), by=SECOND).then_refused(WrongState)
    denying(asked(waits=False), by=SECOND).then_refused(WrongState)
    assert SPEC.fold(asked(waits=False)).state == "posted"


def test_what_nobody_asked_for_is_not_found() -> None:
    """An id that is mistyped."""
    approving(by=SECOND).then_refused(NotFound)
    denying(by=SECOND).then_refused(NotFound)
