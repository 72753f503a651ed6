"""Looking into a customer's workspace: for an hour, with a reason, each operator for themselves."""

from uuid import UUID

import pytest

from domain import support
from domain.fact import SYSTEM, Actor, Stamp
from domain.refusal import BadField, NotPermitted
from domain.support import ACCESS_VALID_US, NO_SUPPORT, Support, SupportEvent

ACCOUNT = UUID(int=1)
ANN, BEN = Actor("operator", UUID(int=2)), Actor("operator", UUID(int=3))


def at(now_us: int, actor: Actor = ANN) -> Stamp:
    return Stamp(now_us=now_us, actor=actor.label)


def begin(
    state: Support = NO_SUPPORT,
    *,
    number: int = 10,
    by: Actor = ANN,
    reason: str = "ticket 41",
    now_us: int = 5,
) -> list[SupportEvent]:
    return support.begin(
        state,
        account_id=ACCOUNT,
        access_id=UUID(int=number),
        reason=reason,
        by=by,
        stamp=at(now_us, by),
    )


def after(*events: SupportEvent, state: Support = NO_SUPPORT) -> Support:
    for event in events:
        state = support.evolve(state, event)
    return state


def test_a_look_is_over_after_an_hour() -> None:
    """To the microsecond, and it is only that operator's."""
    state = after(*begin())
    assert state.open_of(UUID(int=2), now_us=5 + ACCESS_VALID_US - 1) is not None
    assert state.open_of(UUID(int=2), now_us=5 + ACCESS_VALID_US) is None
    assert state.open_of(UUID(int=3), now_us=6) is None


def test_the_same_look_is_recorded_once() -> None:
    """Another one begins anew, with its own reason and hour."""
    state = after(*begin())
    assert begin(state) == []
    again = after(*begin(state, number=11, reason="ticket 42", now_us=9), state=state)
    found = again.open_of(UUID(int=2), now_us=10)
    assert found is not None
    assert (found.reason, found.expires_us) == ("ticket 42", 9 + ACCESS_VALID_US)


def test_it_can_be_left_earlier() -> None:
    """By whoever looks; leaving twice, or without having looked, is nothing."""
    state = after(*begin(), *begin(by=BEN, number=12))
    left = after(*support.end(state, account_id=ACCOUNT, by=ANN, stamp=at(6)), state=state)
    assert left.open_of(UUID(int=2), now_us=7) is None
    assert left.open_of(UUID(int=3), now_us=7) is not None
    assert support.end(left, account_id=ACCOUNT, by=ANN, stamp=at(7)) == []


@pytest.mark.parametrize("actor", [SYSTEM, Actor("member", UUID(int=2))])
def test_only_operators_look(actor: Actor) -> None:
    """Neither the system nor a member."""
    with pytest.raises(NotPermitted):
        begin(by=actor)
    assert support.end(NO_SUPPORT, account_id=ACCOUNT, by=actor, stamp=at(1)) == []


def test_nobody_looks_without_a_reason() -> None:
    """One that cannot be shown is none."""
    for reason in ("", "  ", "a\u202eb"):
        with pytest.raises(BadField):
            begin(reason=reason)
