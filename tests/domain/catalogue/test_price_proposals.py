"""Proposing prices, and deciding about them."""

from uuid import UUID

import pytest

from domain.catalogue import price_proposals as rules
from domain.catalogue.price_proposals import (
    PriceProposalEvent,
    PriceProposals,
    PricesApproved,
    PricesChanged,
    PricesDenied,
    PricesProposed,
)
from domain.catalogue.prices import Publication, checked
from domain.fact import SYSTEM, Actor, Stamp
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, SecondOperatorNeeded, WrongState
from tests.domain.catalogue.test_prices import TEXT
from tests.spec import Spec

NOW_US, LATER_US = 1_000_000, 9_000_000
ANNA, BERT = Actor("operator", UUID(int=1)), Actor("operator", UUID(int=2))
ONE, OTHER = UUID(int=11), UUID(int=12)
SPEC: Spec[PriceProposals] = Spec(rules.evolve, initial=PriceProposals())


def prices(start_us: int | None = None, *, markup_ppm: int = 1_000_000) -> Publication:
    return checked(entries={"big": TEXT}, markup_ppm=markup_ppm, effective_from_us=start_us, now_us=NOW_US)


def proposed(
    *wanted: Publication, proposal_id: UUID = ONE, by: Actor = ANNA, base_version: int = 3
) -> PricesProposed:
    return PricesProposed(
        proposal_id=proposal_id,
        base_version=base_version,
        publications=wanted or (prices(),),
        note="december",
        occurred_us=NOW_US,
        actor=by.label,
    )


def _propose(
    now: PriceProposals,
    *wanted: Publication,
    proposal_id: UUID = ONE,
    by: Actor = ANNA,
    base_version: int = 3,
    note: str = "december",
) -> list[PricesProposed]:
    return rules.propose(
        now,
        proposal_id=proposal_id,
        publications=wanted or (prices(),),
        base_version=base_version,
        note=note,
        stamp=Stamp(now_us=NOW_US, actor=by.label),
    )


def _approve(now: PriceProposals, by: Actor, *, list_version: int = 3) -> list[PricesApproved]:
    stamp = Stamp(now_us=LATER_US, actor=by.label)
    return rules.approve(now, ONE, list_version=list_version, by=by, stamp=stamp)


def _deny(now: PriceProposals, by: Actor, reason: str = "too dear") -> list[PricesDenied]:
    return rules.deny(now, ONE, reason=reason, stamp=Stamp(now_us=LATER_US, actor=by.label))


APPROVED = PricesApproved(proposal_id=ONE, occurred_us=LATER_US, actor=BERT.label)
DENIED = PricesDenied(proposal_id=ONE, reason="too dear", occurred_us=LATER_US, actor=BERT.label)


def test_one_proposal_waits_at_a_time() -> None:
    """Others are refused until it is decided, whoever makes them."""
    SPEC.given().when(_propose).then(proposed())
    dearer = prices(markup_ppm=2_000_000)
    SPEC.given(proposed()).when(lambda now: _propose(now, dearer, proposal_id=OTHER)).then_refused(WrongState)
    SPEC.given(proposed()).when(lambda now: _propose(now, proposal_id=OTHER, by=BERT)).then_refused(
        WrongState
    )
    for decision in (APPROVED, DENIED):
        again = SPEC.given(proposed(), decision)
        again.when(lambda now: _propose(now, proposal_id=OTHER)).then(proposed(proposal_id=OTHER))
        again.when(_propose).then_refused(AlreadyExists)


def test_the_same_proposed_twice_is_one() -> None:
    """By the same operator, on the same prices, whatever its id."""
    SPEC.given(proposed()).when(lambda now: _propose(now, proposal_id=OTHER)).then()
    SPEC.given(proposed()).when(lambda now: _propose(now, proposal_id=OTHER, base_version=4)).then_refused(
        WrongState
    )


def test_a_note_that_cannot_be_shown_is_refused() -> None:
    """Somebody has to decide by it."""
    SPEC.given().when(lambda now: _propose(now, note=" ")).then_refused(BadField, field="note")
    SPEC.given(proposed()).when(lambda now: _deny(now, BERT, " ")).then_refused(BadField, field="reason")


def test_another_operator_agrees() -> None:
    """Never who proposed it, nor the command line, of which nobody can tell who it is. Twice is once."""
    SPEC.given(proposed()).when(lambda now: _approve(now, ANNA)).then_refused(SecondOperatorNeeded)
    SPEC.given(proposed()).when(lambda now: _approve(now, SYSTEM)).then_refused(NotPermitted)
    SPEC.given(proposed(by=SYSTEM)).when(lambda now: _approve(now, SYSTEM)).then_refused(SecondOperatorNeeded)
    SPEC.given(proposed()).when(lambda now: _approve(now, BERT)).then(APPROVED)
    SPEC.given(proposed(), APPROVED).when(lambda now: _approve(now, BERT, list_version=4)).then()


@pytest.mark.parametrize("list_version", [0, 2, 4])
def test_nobody_agrees_to_another_difference_than_the_one_that_was_shown(list_version: int) -> None:
    """Once prices have changed, what was proposed on the older ones can only be denied."""
    stale = SPEC.given(proposed())
    stale.when(lambda now: _approve(now, BERT, list_version=list_version)).then_refused(PricesChanged)
    stale.when(lambda now: _deny(now, BERT)).then(DENIED)


def test_what_is_denied_or_taken_back_is_decided() -> None:
    """Its proposer takes it back by the same; either is final, and twice is once."""
    own = PricesDenied(proposal_id=ONE, reason="too dear", occurred_us=LATER_US, actor=ANNA.label)
    SPEC.given(proposed()).when(lambda now: _deny(now, ANNA)).then(own)
    denied = SPEC.given(proposed(), DENIED)
    denied.when(lambda now: _deny(now, ANNA)).then()
    denied.when(lambda now: _approve(now, BERT)).then_refused(WrongState)
    SPEC.given(proposed(), APPROVED).when(lambda now: _deny(now, BERT)).then_refused(WrongState)


def test_what_was_never_proposed_cannot_be_decided() -> None:
    """Neither way."""
    SPEC.given(proposed(proposal_id=OTHER)).when(lambda now: _approve(now, BERT)).then_refused(NotFound)
    SPEC.given(proposed(proposal_id=OTHER)).when(lambda now: _deny(now, BERT)).then_refused(NotFound)


def test_prices_begin_at_their_approval_or_later() -> None:
    """Never before: what was wanted from a time on that has passed while it waited begins at the approval."""
    ahead_us = LATER_US + 5
    events: list[PriceProposalEvent] = [proposed(prices(), prices(NOW_US + 1), prices(ahead_us)), APPROVED]
    now = PriceProposals()
    for event in events:
        now = rules.evolve(now, event)
    facts = rules.publications_of(now.by_id[ONE], stamp=Stamp(now_us=LATER_US, actor=BERT.label))
    assert [one.effective_from_us for one in facts] == [LATER_US, LATER_US, ahead_us]
    assert {(one.approved_by, one.note, one.occurred_us) for one in facts} == {
        (BERT.label, "december", LATER_US)
    }
    assert now.by_id[ONE].last_version == 6
    assert now.by_id[ONE].aliases == {"big"}
    assert now.waiting is None
