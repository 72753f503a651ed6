"""Properties of holds and charges for any amounts: whatever an upstream reports, no balance grows by it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import lease as rules
from domain.ledger.events import AMOUNT_NANO_MAX, LeaseEvent, UsageCharged
from domain.ledger.lease import Lease
from domain.ledger.refusals import InsufficientCredit
from tests.domain.ledger.facts import ACCOUNT, ANSWER, FIRST, KEY, LEASE, NOW, OWNER, admitted, opened

amounts = st.integers(0, AMOUNT_NANO_MAX)


def _lease_holding(hold_nano: int, *, free_nano: int = 0) -> Lease:
    lease = rules.evolve(Lease(LEASE), opened(max(hold_nano + free_nano, 1)))
    return rules.evolve(lease, admitted(FIRST, hold_nano))


def _charge(lease: Lease, rated_nano: int) -> UsageCharged:
    (event,) = rules.charge(lease, request_id=FIRST, rated_nano=rated_nano, answer=ANSWER, now_us=NOW)
    assert isinstance(event, UsageCharged)
    return event


def _try_admit(lease: Lease, request_id: UUID, hold_nano: int) -> LeaseEvent | None:
    try:
        (event,) = rules.admit(
            lease,
            request_id=request_id,
            key_id=KEY,
            alias="big",
            stream=False,
            hold_nano=hold_nano,
            price_version=1,
            client_ref=None,
            now_us=NOW,
        )
    except InsufficientCredit:
        return None
    return event


@given(hold_nano=amounts, rated_nano=amounts)
def test_a_charge_is_the_cost_up_to_the_hold(hold_nano: int, rated_nano: int) -> None:
    """P12: customer and operator together pay exactly the cost, the customer never above the hold, neither below zero."""
    event = _charge(_lease_holding(hold_nano), rated_nano)
    assert event.charge_nano + event.shortfall_nano == rated_nano
    assert 0 <= event.charge_nano <= hold_nano == event.hold_nano
    assert event.shortfall_nano >= 0
    assert not event.shortfall_nano or event.charge_nano == hold_nano


@given(hold_nano=amounts, one_nano=amounts, other_nano=amounts)
def test_more_usage_is_never_cheaper(hold_nano: int, one_nano: int, other_nano: int) -> None:
    """P12: charge and shortfall grow with the cost."""
    less_nano, more_nano = sorted((one_nano, other_nano))
    less, more = (_charge(_lease_holding(hold_nano), rated_nano) for rated_nano in (less_nano, more_nano))
    assert less.charge_nano <= more.charge_nano
    assert less.shortfall_nano <= more.shortfall_nano


@given(
    hold_nano=st.integers(0, AMOUNT_NANO_MAX // 2),
    free_nano=st.integers(0, AMOUNT_NANO_MAX // 2),
    rated_nano=amounts,
)
def test_a_charge_frees_what_it_does_not_take(hold_nano: int, free_nano: int, rated_nano: int) -> None:
    """P26: afterwards the lease has what it had less the charge, and never more."""
    lease = _lease_holding(hold_nano, free_nano=free_nano)
    had_nano = lease.free_nano + hold_nano
    event = _charge(lease, rated_nano)
    rules.evolve(lease, event)
    assert lease.free_nano == had_nano - event.charge_nano <= had_nano
    assert lease.held_nano == 0


@given(lent_nano=st.integers(1, AMOUNT_NANO_MAX), holds_nano=st.lists(amounts, max_size=8))
def test_holds_never_exceed_what_was_lent(lent_nano: int, holds_nano: list[int]) -> None:
    """Requests are admitted one by one while they fit, and a refusal changes nothing."""
    lease = rules.evolve(Lease(LEASE), opened(lent_nano))
    for number, hold_nano in enumerate(holds_nano):
        free_nano = lease.free_nano
        event = _try_admit(lease, UUID(int=number), hold_nano)
        assert (event is not None) == (hold_nano <= free_nano)
        if event is not None:
            rules.evolve(lease, event)
        assert lease.free_nano == free_nano - (hold_nano if event else 0) >= 0
    assert lease.held_nano == sum(lease.holds.values()) <= lent_nano
    assert (lease.account_id, lease.owner) == (ACCOUNT, OWNER)
