"""Nothing is on account unless two operators have agreed to it."""

from typing import Any
from uuid import UUID

import pytest

from domain.fact import SYSTEM, Actor
from domain.postpaid.events import PostpaidLimitApproved
from domain.postpaid.limiting import DAYS_MAX, approve, deny, lift
from domain.postpaid.postpaid import Limit, Postpaid
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from tests.domain.postpaid.accounts import (
    ANNA,
    BERT,
    LIMIT_MINOR,
    PROPOSAL,
    SPEC,
    agreed,
    at,
    bought,
    proposed,
)
from tests.domain.recharge.orders import ACCOUNT, NOW_US

OTHER = UUID(int=95)


def _approve(postpaid: Postpaid, by: Actor = BERT) -> Any:
    return approve(postpaid, PROPOSAL, account_id=ACCOUNT, by=by, stamp=at(by))


def test_a_limit_that_is_proposed_is_none() -> None:
    """Only the second operator makes it one; asked again, nothing more happens."""
    assert SPEC.fold(*proposed()).limit is None
    standing = SPEC.fold(*agreed())
    assert standing.limit == Limit(
        currency="EUR", exponent=2, limit_minor=LIMIT_MINOR, days_to_pay=30, since_us=NOW_US
    )
    assert standing.left_minor == LIMIT_MINOR
    assert _approve(standing) == []


def test_who_proposes_cannot_approve_and_the_server_is_nobody() -> None:
    """Two people, not two commands."""
    SPEC.given(*proposed()).when(lambda now: _approve(now, ANNA)).then_refused(SecondOperatorNeeded)
    SPEC.given(*proposed()).when(lambda now: _approve(now, SYSTEM)).then_refused(NotPermitted)
    SPEC.given().when(_approve).then_refused(NotFound)


def test_a_proposal_is_made_once_and_one_waits_at_a_time() -> None:
    """The same id with other terms is another proposal."""
    SPEC.given(*proposed()).when(proposed).then_nothing()
    SPEC.given(*proposed()).when(lambda now: proposed(now, limit_minor=1)).then_refused(AlreadyExists)
    SPEC.given(*proposed()).when(lambda now: proposed(now, proposal_id=OTHER)).then_refused(WrongState)
    SPEC.given(*agreed()).when(proposed).then_nothing()


def test_a_denied_proposal_leaves_the_limit_as_it_was() -> None:
    """Its proposer may take it back too; what is decided stays so."""

    def _deny(now: Postpaid) -> Any:
        return deny(now, OTHER, account_id=ACCOUNT, reason="too much", stamp=at())

    begun = [*agreed(), *proposed(SPEC.fold(*agreed()), proposal_id=OTHER, limit_minor=10**9)]
    denied = SPEC.fold(*begun, *_deny(SPEC.fold(*begun)))
    assert (denied.left_minor, denied.waiting) == (LIMIT_MINOR, None)
    assert _deny(denied) == []
    with pytest.raises(WrongState):
        approve(denied, OTHER, account_id=ACCOUNT, by=BERT, stamp=at(BERT))
    with pytest.raises(WrongState):
        deny(denied, PROPOSAL, account_id=ACCOUNT, reason="too much", stamp=at())


def test_lifting_needs_one_operator_and_touches_nothing_that_is_bought() -> None:
    """It is due when it was; without a limit there is nothing to lift."""
    begun = [*agreed(), *bought(SPEC.fold(*agreed()))]

    def _lift(now: Postpaid) -> Any:
        return lift(now, account_id=ACCOUNT, reason="closes", stamp=at())

    before = SPEC.fold(*begun)
    lifted = SPEC.fold(*begun, *_lift(before))
    assert (lifted.limit, lifted.left_minor, lifted.purchases) == (None, 0, before.purchases)
    assert _lift(lifted) == []


def test_a_lower_limit_leaves_nothing_over_until_enough_is_paid() -> None:
    """What is unpaid may be above it; it is not asked for sooner."""
    begun = [*agreed(), *bought(SPEC.fold(*agreed()))]
    lower = agreed(SPEC.fold(*begun), proposal_id=OTHER, limit_minor=100)
    now = SPEC.fold(*begun, *lower)
    assert (now.left_minor, now.unpaid_minor) == (0, 11_900)


def test_the_currency_stays_while_something_is_unpaid() -> None:
    """Sums of two currencies are none: neither proposed nor, if something was bought meanwhile, approved."""
    begun = [*agreed(), *bought(SPEC.fold(*agreed()))]
    SPEC.given(*begun).when(lambda now: proposed(now, proposal_id=OTHER, currency="USD")).then_refused(
        BadField
    )
    waiting = [*agreed(), *proposed(SPEC.fold(*agreed()), proposal_id=OTHER, currency="USD")]
    late = SPEC.fold(*waiting, *bought(SPEC.fold(*waiting)))
    with pytest.raises(BadField):
        approve(late, OTHER, account_id=ACCOUNT, by=BERT, stamp=at(BERT))
    (approved,) = approve(SPEC.fold(*waiting), OTHER, account_id=ACCOUNT, by=BERT, stamp=at(BERT))
    assert isinstance(approved, PostpaidLimitApproved)
    assert approved.currency == "USD"


@pytest.mark.parametrize(
    "change",
    [
        {"limit_minor": 0},
        {"limit_minor": -1},
        {"limit_minor": 10**14},
        {"days_to_pay": 0},
        {"days_to_pay": DAYS_MAX + 1},
        {"currency": "EURO"},
        {"reason": " "},
        {"reason": "a\x00b"},
    ],
)
def test_terms_that_cannot_be_meant_are_refused(change: dict[str, Any]) -> None:
    """Before anybody is asked to agree to them."""
    SPEC.given().when(lambda now: proposed(now, **change)).then_refused(BadField)
