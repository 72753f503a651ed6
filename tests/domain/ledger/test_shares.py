"""The lease's side of budgets: a hold takes of the share what it takes of the credit."""

from typing import Any
from uuid import UUID

import pytest

from domain.ledger import lease as rules
from domain.ledger import leasing
from domain.ledger.events import LeaseEvent, LeaseShareRaised, LeaseShareReturned, RequestAdmitted
from domain.ledger.lease import Lease
from domain.ledger.refusals import AmountOutOfRange, LeaseEnded, ShareTooSmall
from domain.ledger.shares import BudgetBucket, Draw
from tests.domain.ledger import facts
from tests.domain.ledger.facts import FIRST, KEY, LEASE_SPEC, NOW, REAPER, SECOND

TODAY, YESTERDAY = BudgetBucket(UUID(int=50), 7), BudgetBucket(UUID(int=50), 6)
OTHER = BudgetBucket(UUID(int=51), 7)


def raised(amount_nano: int, bucket: BudgetBucket = TODAY) -> LeaseShareRaised:
    return LeaseShareRaised(bucket=bucket, amount_nano=amount_nano)


def admit(lease: Lease, hold_nano: int, *draws: Draw, request: UUID = SECOND) -> list[LeaseEvent]:
    return rules.admit(
        lease,
        request_id=request,
        key_id=KEY,
        alias="big",
        stream=False,
        hold_nano=hold_nano,
        price_version=4,
        client_ref=None,
        now_us=NOW,
        draws=draws,
    )


def admitted(hold_nano: int, *buckets: BudgetBucket) -> RequestAdmitted:
    lease = LEASE_SPEC.fold(facts.opened(1_000), *(raised(1_000, one) for one in buckets))
    (event,) = admit(lease, hold_nano, *(Draw(one, is_hard=True) for one in buckets), request=FIRST)
    assert isinstance(event, RequestAdmitted)
    return event


def share_of(*events: Any, bucket: BudgetBucket = TODAY) -> tuple[int, int, int]:
    share = LEASE_SPEC.fold(facts.opened(1_000), *events).shares[bucket]
    return share.amount_nano, share.charged_nano, share.held_nano


def test_two_requests_cannot_hold_the_same_share() -> None:
    """What is on hold of a budget is not there for a second request, however much credit there is."""
    lease = LEASE_SPEC.given(facts.opened(1_000), raised(100), admitted(60, TODAY))
    lease.when(lambda one: admit(one, 41, Draw(TODAY, is_hard=True))).then_refused(ShareTooSmall)
    lease.when(lambda one: admit(one, 40, Draw(TODAY, is_hard=True)))
    assert share_of(raised(100), admitted(60, TODAY)) == (100, 0, 60)


def test_a_share_of_one_bucket_is_none_of_another() -> None:
    """Neither another day nor another budget."""
    lease = LEASE_SPEC.given(facts.opened(1_000), raised(100, YESTERDAY), raised(100, OTHER))
    lease.when(lambda one: admit(one, 1, Draw(TODAY, is_hard=True))).then_refused(ShareTooSmall)


def test_every_hard_budget_must_have_room() -> None:
    """That of the key and that of the account."""
    lease = LEASE_SPEC.given(facts.opened(1_000), raised(100, TODAY), raised(10, OTHER))
    both = (Draw(TODAY, is_hard=True), Draw(OTHER, is_hard=True))
    lease.when(lambda one: admit(one, 11, *both)).then_refused(ShareTooSmall)


def test_a_soft_budget_is_named_and_refuses_nothing() -> None:
    """The admission says where its charge will count."""
    lease = LEASE_SPEC.fold(facts.opened(1_000))
    (event,) = admit(lease, 60, Draw(TODAY, is_hard=False))
    assert isinstance(event, RequestAdmitted)
    assert event.budgets == (TODAY,)
    assert not rules.evolve(lease, event).drawn


def test_without_budgets_an_admission_says_nothing_of_them() -> None:
    """Its bytes are what they were."""
    (event,) = admit(LEASE_SPEC.fold(facts.opened(1_000)), 60)
    assert isinstance(event, RequestAdmitted)
    assert not event.budgets


@pytest.mark.parametrize(
    ("ending", "share"),
    [
        (facts.charged(FIRST, hold_nano=60, charge_nano=25), (100, 25, 0)),
        (facts.released(FIRST, hold_nano=60), (100, 0, 0)),
    ],
)
def test_the_rest_of_a_hold_comes_free(ending: LeaseEvent, share: tuple[int, int, int]) -> None:
    """A charge stays on the share, a release leaves nothing there."""
    assert share_of(raised(100), admitted(60, TODAY), ending) == share


def test_a_fence_leaves_what_was_charged() -> None:
    """An open request is abandoned and counts for nothing: so the share of the dead can be settled exactly."""
    story = [raised(100), admitted(60, TODAY)]
    lease = LEASE_SPEC.fold(facts.opened(1_000), *story)
    fence = leasing.fence(lease, by=REAPER, reason="dead", now_us=NOW)
    assert share_of(*story, *fence) == (100, 0, 0)


def test_what_is_held_of_a_share_is_not_given_back() -> None:
    """Only what is free; and a share grows by what was lent."""
    lease = LEASE_SPEC.given(facts.opened(1_000), raised(100), admitted(60, TODAY))

    def give(amount_nano: int) -> Any:
        return lambda one: leasing.return_share(one, bucket=TODAY, amount_nano=amount_nano)

    lease.when(give(40)).then(LeaseShareReturned(bucket=TODAY, amount_nano=40))
    lease.when(give(41)).then_refused(AmountOutOfRange)
    lease.when(give(0)).then_refused(AmountOutOfRange)
    lease.when(lambda one: leasing.raise_share(one, bucket=TODAY, amount_nano=5)).then(raised(5))
    lease.when(lambda one: leasing.raise_share(one, bucket=TODAY, amount_nano=0)).then_refused(
        AmountOutOfRange
    )


def test_nothing_happens_to_shares_of_a_lease_that_has_ended() -> None:
    """Whoever settles it goes by what is there."""
    fence = leasing.fence(LEASE_SPEC.fold(facts.opened(9)), by=REAPER, reason="dead", now_us=NOW)
    lease = LEASE_SPEC.given(facts.opened(9), *fence)
    lease.when(lambda one: leasing.raise_share(one, bucket=TODAY, amount_nano=5)).then_refused(LeaseEnded)
    lease.when(lambda one: leasing.return_share(one, bucket=TODAY, amount_nano=5)).then_refused(LeaseEnded)
