"""A lease of several lots: holds are of the right ones, charges take them in their order, and sums agree."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.ledger import lease as rules
from domain.ledger import leasing
from domain.ledger.events import LeaseEvent, LeaseGaveBack, LeaseToppedUp, RequestAdmitted
from domain.ledger.lease import Lease
from domain.ledger.lots import LentSlice, LotTerms
from domain.ledger.refusals import AmountOutOfRange, InsufficientCredit
from tests.domain.ledger.facts import (
    ACCOUNT,
    ANSWER,
    FIRST,
    KEY,
    LEASE,
    LEASE_SPEC,
    NEW,
    NOW,
    OLD,
    OWNER,
    SECOND,
    admitted,
    charged,
    opened,
    released,
    slices,
)
from tests.domain.ledger.test_lots import terms

Decide = Callable[[Lease], Sequence[LeaseEvent]]
END = NOW + 1_000
THIRD = UUID(int=22)
PLAIN = terms()
ENDING = terms(expires_us=END)
SCOPED = terms(priority=0, aliases=("small",))


def of(*parts: tuple[UUID, int, LotTerms]) -> LeaseEvent:
    return opened(sum(part[1] for part in parts), slices=tuple(LentSlice(*part) for part in parts))


def topped_up(*parts: tuple[UUID, int, LotTerms]) -> LeaseToppedUp:
    return LeaseToppedUp(
        amount_nano=sum(part[1] for part in parts), slices=tuple(LentSlice(*part) for part in parts)
    )


def admit(hold_nano: int, alias: str = "big", *, request_id: UUID = FIRST, at_us: int = NOW) -> Decide:
    return lambda lease: rules.admit(
        lease,
        request_id=request_id,
        key_id=KEY,
        alias=alias,
        stream=True,
        hold_nano=hold_nano,
        price_version=4,
        client_ref="their-id",
        now_us=at_us,
    )


def held(request_id: UUID, *parts: tuple[UUID, int], **changes: Any) -> RequestAdmitted:
    return admitted(request_id, sum(part[1] for part in parts), slices=slices(*parts), **changes)


def standing(lease: Lease) -> dict[UUID, tuple[int, int, int]]:
    return {part.lot_id: (part.amount_nano, part.charged_nano, part.held_nano) for part in lease.parts}


# --- plain leases


def test_a_lease_of_one_plain_lot_keeps_sums_alone() -> None:
    """Its admissions say nothing of lots, and are as short as they ever were."""
    facts = (of((OLD, 100, PLAIN)),)
    LEASE_SPEC.given(*facts).when(admit(60)).then(admitted(FIRST, 60))
    lease = LEASE_SPEC.fold(*facts, admitted(FIRST, 60), charged(FIRST, hold_nano=60, charge_nano=20))
    assert lease.plain
    assert lease.held_of == {}
    assert lease.spent() == {OLD: 20}


def test_more_of_its_only_lot_leaves_a_lease_plain() -> None:
    """The top-up need not name the lot."""
    more = (LentSlice(OLD, 5, PLAIN),)
    LEASE_SPEC.given(of((OLD, 100, PLAIN))).when(
        lambda lease: leasing.top_up(lease, amount_nano=5, slices=more)
    ).then(LeaseToppedUp(amount_nano=5))


def test_a_lease_that_does_not_know_its_lots_stays_so() -> None:
    """One of an older log; its wallet says what it spent."""
    lease = LEASE_SPEC.fold(opened(100), admitted(FIRST, 60), charged(FIRST, hold_nano=60, charge_nano=20))
    assert lease.plain
    assert lease.spent() is None
    more = (LentSlice(NEW, 5, SCOPED),)
    assert leasing.top_up(lease, amount_nano=5, slices=more) == [LeaseToppedUp(amount_nano=5)]


def test_a_second_lot_ends_plainness_and_what_was_held_is_of_the_first() -> None:
    """Charges, holds and what is free are of the lot that was alone until then."""
    facts = (
        of((OLD, 100, PLAIN)),
        admitted(FIRST, 60),
        admitted(SECOND, 10),
        charged(FIRST, hold_nano=60, charge_nano=20),
        topped_up((NEW, 5, SCOPED)),
    )
    LEASE_SPEC.given(*facts[:-1]).when(
        lambda lease: leasing.top_up(lease, amount_nano=5, slices=(LentSlice(NEW, 5, SCOPED),))
    ).then(facts[-1])
    lease = LEASE_SPEC.fold(*facts)
    assert not lease.plain
    assert standing(lease) == {NEW: (5, 0, 0), OLD: (100, 20, 10)}
    after = LEASE_SPEC.fold(*facts, charged(SECOND, hold_nano=10, charge_nano=4))
    assert after.spent() == {NEW: 0, OLD: 24}


# --- holds and charges


def test_a_hold_is_of_the_first_lots_that_serve_its_model() -> None:
    """A lot for the model goes before general credit; one for other models is passed over."""
    given = LEASE_SPEC.given(of((NEW, 5, SCOPED), (OLD, 100, PLAIN)))
    given.when(admit(7, "small")).then(held(FIRST, (NEW, 5), (OLD, 2), alias="small"))
    given.when(admit(7)).then(held(FIRST, (OLD, 7)))


def test_what_is_for_other_models_covers_nothing() -> None:
    """The refusal tells what is free for the model."""
    given = LEASE_SPEC.given(of((NEW, 50, SCOPED), (OLD, 10, PLAIN)))
    given.when(admit(11)).then_refused(InsufficientCredit, required_nano=11, available_nano=10)
    given.when(admit(60, "small")).then(held(FIRST, (NEW, 50), (OLD, 10), alias="small"))
    lease = LEASE_SPEC.fold(of((NEW, 50, SCOPED), (OLD, 10, PLAIN)))
    assert [lease.free_for_nano(alias, NOW) for alias in ("big", "small")] == [10, 60]


def test_no_admission_draws_on_a_lot_that_is_over() -> None:
    """Not one moment after, whatever the lease still has of it."""
    given = LEASE_SPEC.given(of((OLD, 100, ENDING)))
    given.when(admit(100, at_us=END - 1)).then(held(FIRST, (OLD, 100), occurred_us=END - 1))
    given.when(admit(1, at_us=END)).then_refused(InsufficientCredit, required_nano=1, available_nano=0)


def test_a_request_that_was_admitted_in_time_is_charged_after_the_end() -> None:
    """Expiry never races a charge; the rest of the hold is free, and of no use to any request."""
    facts = (of((OLD, 100, ENDING)), held(FIRST, (OLD, 100)))
    (done,) = rules.charge(
        LEASE_SPEC.fold(*facts), request_id=FIRST, rated_nano=30, answer=ANSWER, now_us=END + 5
    )
    lease = LEASE_SPEC.fold(*facts, done)
    assert lease.spent() == {OLD: 30}
    assert (lease.free_nano, lease.free_for_nano("big", END)) == (70, 0)
    assert lease.has_expired(END)
    assert not lease.has_expired(END - 1)


def test_a_charge_takes_the_slices_of_its_hold_in_their_order() -> None:
    """So what each charge took of each lot follows from the admission and the amount."""
    facts = (of((NEW, 5, SCOPED), (OLD, 100, PLAIN)), held(FIRST, (NEW, 5), (OLD, 20), alias="small"))
    lease = LEASE_SPEC.fold(*facts, charged(FIRST, hold_nano=25, charge_nano=8))
    assert standing(lease) == {NEW: (5, 5, 0), OLD: (100, 3, 0)}
    untouched = LEASE_SPEC.fold(*facts, released(FIRST, 25))
    assert standing(untouched) == {NEW: (5, 0, 0), OLD: (100, 0, 0)}


def test_a_free_request_holds_nothing_of_any_lot() -> None:
    """A worst case of nothing is admitted, and ends."""
    facts = (of((OLD, 100, ENDING)), held(FIRST))
    LEASE_SPEC.given(facts[0]).when(admit(0, at_us=END)).then(held(FIRST, occurred_us=END))
    assert standing(LEASE_SPEC.fold(*facts, released(FIRST, 0))) == {OLD: (100, 0, 0)}


# --- sizes


def test_what_is_given_back_is_of_the_latest_lots() -> None:
    """Of each, what no request holds."""
    facts = (of((NEW, 5, SCOPED), (OLD, 100, PLAIN)), held(FIRST, (OLD, 90)))
    back = LeaseGaveBack(amount_nano=12, slices=slices((OLD, 10), (NEW, 2)))
    LEASE_SPEC.given(*facts).when(lambda lease: leasing.give_back(lease, amount_nano=12)).then(back)
    assert standing(LEASE_SPEC.fold(*facts, back)) == {NEW: (3, 0, 0), OLD: (90, 0, 90)}


def test_sizes_are_those_of_their_slices() -> None:
    """A lease never has more than its lots."""
    lent = (LentSlice(NEW, 5, SCOPED), LentSlice(OLD, 5, PLAIN))
    LEASE_SPEC.given().when(
        lambda lease: leasing.open_lease(
            lease,
            account_id=ACCOUNT,
            owner=OWNER,
            amount_nano=11,
            valid_ms=10_000,
            now_us=NOW,
            slices=lent,
        )
    ).then_refused(AmountOutOfRange)
    LEASE_SPEC.given(of((OLD, 5, PLAIN))).when(
        lambda lease: leasing.top_up(lease, amount_nano=11, slices=lent)
    ).then_refused(AmountOutOfRange)


# --- whatever happens


STEPS = st.lists(
    st.tuples(st.sampled_from(("admit", "charge", "release", "give back", "top up")), st.integers(0, 40)),
    max_size=25,
)
LOTS = ((OLD, PLAIN), (NEW, SCOPED), (THIRD, ENDING))


@for_all(STEPS, st.sampled_from(("big", "small")))
def test_the_parts_of_a_lease_add_up_to_its_sums(steps: list[tuple[str, int]], alias: str) -> None:
    """Lent, charged and held of all lots is what the lease says of itself; nothing is negative; the first lots pay."""
    lease = rules.evolve(Lease(LEASE), of((OLD, 100, PLAIN)))
    for number, (step, amount) in enumerate(steps, 1):
        for event in _step(lease, step, amount, alias=alias, number=number):
            rules.evolve(lease, event)
        if lease.plain:
            continue
        for name in ("amount_nano", "charged_nano", "held_nano", "free_nano"):
            assert sum(getattr(part, name) for part in lease.parts) == getattr(lease, name)
            assert all(getattr(part, name) >= 0 for part in lease.parts)
        assert sum((lease.spent() or {}).values()) == lease.charged_nano
        assert lease.held_of.keys() <= lease.holds.keys()


def _step(lease: Lease, step: str, amount: int, *, alias: str, number: int) -> Sequence[LeaseEvent]:
    request_id = next(iter(lease.holds), None)
    at_us = NOW + 60 * number  # beyond the end of a lot, after some steps
    if step == "admit":
        hold_nano = min(amount, lease.free_for_nano(alias, at_us))
        return admit(hold_nano, alias, request_id=UUID(int=1000 + number), at_us=at_us)(lease)
    if step == "top up":
        lot_id, kind = LOTS[amount % 3]
        lent = (LentSlice(lot_id, amount + 1, kind),)
        return leasing.top_up(lease, amount_nano=amount + 1, slices=lent)
    if step == "give back":
        return (
            leasing.give_back(lease, amount_nano=min(amount, lease.free_nano))
            if amount and lease.free_nano
            else ()
        )
    if request_id is None:
        return ()
    if step == "charge":
        return rules.charge(lease, request_id=request_id, rated_nano=amount, answer=ANSWER, now_us=at_us)
    return rules.release(
        lease, request_id=request_id, key_id=KEY, alias=alias, code="x", attempts=(), total_ms=1, now_us=at_us
    )
