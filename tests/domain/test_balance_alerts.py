"""Below which balance an account is told of, and when that is so."""

from uuid import UUID

import pytest

from domain.balance_alerts import BalanceLowSet, evolve, falls_below, set_threshold
from domain.fact import Stamp
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.refusal import BadField
from tests.spec import Decision, Spec

SPEC: Spec[int | None] = Spec(evolve, initial=None)
ACCOUNT = UUID(int=1)
AT = Stamp(now_us=9, actor="operator:1")


def was_set(threshold_nano: int | None) -> BalanceLowSet:
    return BalanceLowSet(account_id=ACCOUNT, threshold_nano=threshold_nano, occurred_us=9, actor="operator:1")


def setting(threshold_nano: int | None, *given: BalanceLowSet) -> Decision:
    return SPEC.given(*given).when(
        lambda present_nano: set_threshold(
            present_nano, account_id=ACCOUNT, threshold_nano=threshold_nano, stamp=AT
        )
    )


@pytest.mark.parametrize("threshold_nano", [0, 1, AMOUNT_NANO_MAX])
def test_a_threshold_is_set_replaced_and_taken_away(threshold_nano: int) -> None:
    """The same again does nothing, and what is not set cannot be taken away."""
    setting(threshold_nano).then(was_set(threshold_nano))
    setting(threshold_nano, was_set(threshold_nano)).then_nothing()
    setting(None, was_set(threshold_nano)).then(was_set(None))
    setting(None).then_nothing()


@pytest.mark.parametrize("threshold_nano", [-1, AMOUNT_NANO_MAX + 1])
def test_a_threshold_is_a_balance(threshold_nano: int) -> None:
    """Nothing falls below what it cannot be."""
    setting(threshold_nano).then_refused(BadField)


@pytest.mark.parametrize(
    ("before_nano", "after_nano", "is_told"),
    [(10, 9, True), (11, 0, True), (9, 8, False), (0, 9, False), (10, 10, False), (9, 12, False)],
)
def test_only_falling_below_is_told(before_nano: int, after_nano: int, *, is_told: bool) -> None:
    """Not being below, nor coming up and still being so; the threshold itself is not below."""
    assert falls_below(10, before_nano=before_nano, after_nano=after_nano) == is_told
    assert not falls_below(0, before_nano=before_nano, after_nano=after_nano)
