"""What a lease holds, charges and refuses."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import pytest

from domain.ledger import lease as rules
from domain.ledger import leasing
from domain.ledger.events import AMOUNT_NANO_MAX, LeaseEvent, LeaseGaveBack, LeaseToppedUp
from domain.ledger.lease import Lease
from domain.ledger.refusals import (
    AmountOutOfRange,
    DuplicateRequest,
    InsufficientCredit,
    LeaseBusy,
    LeaseEnded,
    UnknownRequest,
)
from tests.domain.ledger.facts import (
    ACCOUNT,
    ANSWER,
    ATTEMPT,
    FIRST,
    KEY,
    LEASE,
    LEASE_SPEC,
    NOW,
    OWNER,
    REAPER,
    SECOND,
    abandoned,
    admitted,
    charged,
    closed,
    fenced,
    held_for_review,
    lot,
    opened,
    released,
)

Decide = Callable[[Lease], Sequence[LeaseEvent]]


def open_lease(amount_nano: int) -> Decide:
    return lambda lease: leasing.open_lease(
        lease, account_id=ACCOUNT, owner=OWNER, amount_nano=amount_nano, valid_ms=10_000, now_us=NOW
    )


def top_up(amount_nano: int) -> Decide:
    return lambda lease: leasing.top_up(lease, amount_nano=amount_nano)


def give_back(amount_nano: int) -> Decide:
    return lambda lease: leasing.give_back(lease, amount_nano=amount_nano)


def admit(hold_nano: int, request_id: UUID = FIRST) -> Decide:
    return lambda lease: rules.admit(
        lease,
        request_id=request_id,
        key_id=KEY,
        alias="big",
        stream=True,
        hold_nano=hold_nano,
        price_version=4,
        client_ref="their-id",
        now_us=NOW,
    )


def charge(rated_nano: int, request_id: UUID = FIRST) -> Decide:
    return lambda lease: rules.charge(
        lease, request_id=request_id, rated_nano=rated_nano, answer=ANSWER, now_us=NOW
    )


def release(request_id: UUID = FIRST) -> Decide:
    return lambda lease: rules.release(
        lease,
        request_id=request_id,
        key_id=KEY,
        alias="big",
        code="upstream_timeout",
        attempts=(ATTEMPT,),
        total_ms=9,
        now_us=NOW,
    )


def close(lease: Lease) -> Sequence[LeaseEvent]:
    return leasing.close(lease, now_us=NOW)


def fence(lease: Lease) -> Sequence[LeaseEvent]:
    return leasing.fence(lease, by=REAPER, reason="owner is dead", now_us=NOW)


# --- opening


def test_a_lease_opens_with_what_was_lent() -> None:
    """All of it is free; the owner and the account are known from then on."""
    LEASE_SPEC.given().when(open_lease(100)).then(opened(100))
    lease = LEASE_SPEC.fold(opened(100))
    assert (lease.free_nano, lease.owner, lease.account_id, lease.ended) == (100, OWNER, ACCOUNT, False)


def test_a_lease_opens_once() -> None:
    """A lease id never comes back, neither live nor ended."""
    LEASE_SPEC.given(opened(100)).when(open_lease(100)).then_refused(LeaseEnded, lease_id=LEASE)
    LEASE_SPEC.given(opened(100), closed()).when(open_lease(100)).then_refused(LeaseEnded, lease_id=LEASE)


@pytest.mark.parametrize("amount_nano", [0, -1])
def test_a_lease_has_a_positive_amount(amount_nano: int) -> None:
    """A negative top-up would be a return that nobody checks."""
    LEASE_SPEC.given().when(open_lease(amount_nano)).then_refused(AmountOutOfRange)
    LEASE_SPEC.given(opened(100)).when(top_up(amount_nano)).then_refused(AmountOutOfRange)


# --- more and less


def test_a_top_up_is_free_credit() -> None:
    """It covers a request that what was there did not."""
    LEASE_SPEC.given(opened(100)).when(top_up(20)).then(LeaseToppedUp(amount_nano=20))
    LEASE_SPEC.given(opened(100), LeaseToppedUp(amount_nano=20)).when(admit(120)).then(admitted(FIRST, 120))


def test_only_what_is_free_is_given_back() -> None:
    """Neither holds nor charges can be returned."""
    given = LEASE_SPEC.given(
        opened(100), admitted(FIRST, 60), admitted(SECOND, 20), charged(SECOND, hold_nano=20, charge_nano=5)
    )
    given.when(give_back(35)).then(LeaseGaveBack(amount_nano=35))
    given.when(give_back(36)).then_refused(AmountOutOfRange)


@pytest.mark.parametrize("amount_nano", [0, -1])
def test_nothing_is_not_given_back(amount_nano: int) -> None:
    """A negative return would be a top-up that the wallet knows nothing of."""
    LEASE_SPEC.given(opened(100)).when(give_back(amount_nano)).then_refused(AmountOutOfRange)


def test_what_was_given_back_cannot_be_held() -> None:
    """The refusal tells what is left."""
    given = LEASE_SPEC.given(opened(100), LeaseGaveBack(amount_nano=70))
    given.when(admit(31)).then_refused(InsufficientCredit, required_nano=31, available_nano=30)


# --- admission


def test_a_hold_sets_the_worst_case_aside() -> None:
    """The fact tells everything that is known before the upstream is called."""
    LEASE_SPEC.given(opened(100)).when(admit(60)).then(admitted(FIRST, 60))
    assert LEASE_SPEC.fold(opened(100), admitted(FIRST, 60)).free_nano == 40


def test_two_requests_cannot_hold_the_same_credit() -> None:
    """What is already on hold is not available to a second request."""
    given = LEASE_SPEC.given(opened(100), admitted(FIRST, 60))
    given.when(admit(41, SECOND)).then_refused(InsufficientCredit, required_nano=41, available_nano=40)
    given.when(admit(40, SECOND)).then(admitted(SECOND, 40))


def test_a_free_model_needs_no_credit() -> None:
    """A hold of nothing is a hold: the request is admitted, and it has a record."""
    LEASE_SPEC.given(opened(100), admitted(SECOND, 100)).when(admit(0)).then(admitted(FIRST, 0))


def test_a_hold_is_not_negative() -> None:
    """Else a request could make credit."""
    LEASE_SPEC.given(opened(100)).when(admit(-1)).then_refused(AmountOutOfRange)


def test_a_request_holds_once() -> None:
    """A repeated admission holds nothing more."""
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(admit(10)).then_refused(DuplicateRequest)


# --- charge and release


def test_a_charge_is_what_the_usage_cost() -> None:
    """The rest of the hold comes free."""
    facts = (opened(100), admitted(FIRST, 60))
    LEASE_SPEC.given(*facts).when(charge(45)).then(charged(FIRST, hold_nano=60, charge_nano=45))
    lease = LEASE_SPEC.fold(*facts, charged(FIRST, hold_nano=60, charge_nano=45))
    assert (lease.free_nano, lease.charged_nano, lease.held_nano, lease.charges) == (55, 45, 0, 1)
    assert lease.holds == {}


@pytest.mark.parametrize("rated_nano", [0, 59, 60])
def test_within_the_hold_the_customer_pays_all(rated_nano: int) -> None:
    """There is no shortfall then, and a free answer is a charge of nothing."""
    expected = charged(FIRST, hold_nano=60, charge_nano=rated_nano)
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(charge(rated_nano)).then(expected)


def test_above_the_hold_the_operator_pays() -> None:
    """The customer never pays more than was set aside, though the lease has more."""
    expected = charged(FIRST, hold_nano=60, charge_nano=60, shortfall_nano=25)
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(charge(85)).then(expected)


@pytest.mark.parametrize("rated_nano", [-1, AMOUNT_NANO_MAX + 1])
def test_absurd_usage_is_no_charge(rated_nano: int) -> None:
    """P26: a negative or unstorable cost is refused, and the hold stands for whoever decides about it."""
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(charge(rated_nano)).then_refused(AmountOutOfRange)


@pytest.mark.parametrize("rated_nano", [9, 85])
def test_what_a_provider_cannot_mean_is_charged_and_held_for_review(rated_nano: int) -> None:
    """Never above the hold; the fact that it waits for an operator stands right behind the charge, and moves nothing."""
    flags = ("absurd", "clamped")
    answer = msgspec.structs.replace(ANSWER, usage_flags=flags)
    charge_nano = min(rated_nano, 60)
    charge = msgspec.structs.replace(
        charged(FIRST, hold_nano=60, charge_nano=charge_nano, shortfall_nano=rated_nano - charge_nano),
        usage_flags=flags,
    )
    held = held_for_review(FIRST, hold_nano=60, charge_nano=charge_nano)
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(
        lambda lease: rules.charge(lease, request_id=FIRST, rated_nano=rated_nano, answer=answer, now_us=NOW)
    ).then(charge, held)
    lease = LEASE_SPEC.fold(opened(100), admitted(FIRST, 60), charge, held)
    assert (lease.charged_nano, lease.charges, lease.free_nano) == (charge_nano, 1, 100 - charge_nano)


def test_a_huge_cost_is_stored_as_a_shortfall() -> None:
    """The largest amount that can be stored still leaves the customer with the hold."""
    expected = charged(FIRST, hold_nano=60, charge_nano=60, shortfall_nano=AMOUNT_NANO_MAX - 60)
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60)).when(charge(AMOUNT_NANO_MAX)).then(expected)


def test_a_release_frees_the_whole_hold() -> None:
    """A request without an answer to pay for costs nothing."""
    facts = (opened(100), admitted(FIRST, 60))
    LEASE_SPEC.given(*facts).when(release()).then(released(FIRST, 60))
    lease = LEASE_SPEC.fold(*facts, released(FIRST, 60))
    assert (lease.free_nano, lease.charged_nano, lease.charges, lease.holds) == (100, 0, 0, {})


@pytest.mark.parametrize(
    "end",
    [charged(FIRST, hold_nano=60, charge_nano=5), released(FIRST, 60)],
    ids=["charged", "released"],
)
@pytest.mark.parametrize("again", [charge(5), release()], ids=["charge", "release"])
def test_a_request_ends_once(end: LeaseEvent, again: Decide) -> None:
    """After its charge or its release neither can follow."""
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60), end).when(again).then_refused(UnknownRequest)


@pytest.mark.parametrize("decide", [charge(5), release()], ids=["charge", "release"])
def test_a_request_that_was_not_admitted_cannot_end(decide: Decide) -> None:
    """Nobody is charged for what was not set aside."""
    LEASE_SPEC.given(opened(100), admitted(SECOND, 5)).when(decide).then_refused(UnknownRequest)


# --- the end of a lease


def test_a_lease_closes_with_its_totals() -> None:
    """The closing fact repeats what was charged, for whoever settles it."""
    LEASE_SPEC.given(opened(100), admitted(FIRST, 60), charged(FIRST, hold_nano=60, charge_nano=45)).when(
        close
    ).then(closed(45, 1))


def test_a_lease_with_open_requests_is_not_closed_by_its_owner() -> None:
    """Their charges would have nowhere to go."""
    LEASE_SPEC.given(opened(100), admitted(FIRST, 0)).when(close).then_refused(LeaseBusy)


def test_a_fence_abandons_what_is_open() -> None:
    """Each open request is charged nothing, and the totals are those of what was stored."""
    LEASE_SPEC.given(
        opened(100),
        admitted(FIRST, 30),
        admitted(SECOND, 20),
        admitted(UUID(int=32), 10),
        charged(SECOND, hold_nano=20, charge_nano=7),
    ).when(fence).then(abandoned(FIRST, 30), abandoned(UUID(int=32), 10), fenced(7, 1))


def test_a_fence_of_an_idle_lease_is_one_fact() -> None:
    """There is nobody to abandon."""
    LEASE_SPEC.given(opened(100)).when(fence).then(fenced())


def test_an_abandoned_hold_comes_free() -> None:
    """What was set aside for it goes back with the settlement."""
    lease = LEASE_SPEC.fold(opened(100), admitted(FIRST, 30), abandoned(FIRST, 30), fenced())
    assert (lease.free_nano, lease.held_nano, lease.holds, lease.ended) == (100, 0, {}, True)


NEVER_OPENED: tuple[LeaseEvent, ...] = ()
CLOSED = (opened(100), closed())
FENCED = (opened(100), admitted(FIRST, 60), abandoned(FIRST, 60), fenced())


@pytest.mark.parametrize("history", [NEVER_OPENED, CLOSED, FENCED], ids=["never opened", "closed", "fenced"])
@pytest.mark.parametrize(
    "decide",
    [top_up(1), give_back(1), admit(1), charge(1), release(), close, fence],
    ids=["top up", "give back", "admit", "charge", "release", "close", "fence"],
)
def test_nothing_happens_in_a_lease_that_is_not_open(history: tuple[LeaseEvent, ...], decide: Decide) -> None:
    """P06, from the side of the deciders: a zombie that knows of its fence decides nothing."""
    LEASE_SPEC.given(*history).when(decide).then_refused(LeaseEnded, lease_id=LEASE)


# --- the shape of the fold


def test_every_fact_is_one_version() -> None:
    """The fold's version is the stream's: whoever appends the next one decides the lease's fate."""
    facts: list[LeaseEvent] = [
        opened(100),
        LeaseToppedUp(amount_nano=5),
        admitted(FIRST, 60),
        charged(FIRST, hold_nano=60, charge_nano=5),
        LeaseGaveBack(amount_nano=5),
        admitted(SECOND, 5),
        abandoned(SECOND, 5),
        fenced(5, 1),
    ]
    for count in range(len(facts) + 1):
        assert LEASE_SPEC.fold(*facts[:count]).version == count


def test_deciders_leave_the_lease_alone() -> None:
    """A decision is facts and nothing else; only the fold changes the state."""
    facts = (opened(100), admitted(FIRST, 60))
    lease, untouched = LEASE_SPEC.fold(*facts), LEASE_SPEC.fold(*facts)
    for decide in (top_up(5), give_back(5), admit(5, SECOND), charge(70), release(), fence):
        assert decide(lease)
        assert lease == untouched


def test_leases_share_nothing() -> None:
    """A new lease holds nothing, whatever happened to others."""
    other = Lease(UUID(int=12))
    rules.evolve(rules.evolve(other, opened(100)), admitted(FIRST, 60))
    assert Lease(LEASE).holds == {}


def test_a_fact_of_another_kind_of_stream_is_not_folded() -> None:
    """It is a mistake of ours, not a fact to count a version for."""
    with pytest.raises(AssertionError):
        rules.evolve(Lease(LEASE), lot(100))  # type: ignore[arg-type]  # the mistake
