"""Limits of accounts and keys."""

import msgspec
import pytest

from domain.limits import NO_LIMITS, Limits, checked_limits
from domain.refusal import BadField


@pytest.mark.parametrize("field", ["rpm", "tpm", "concurrency"])
@pytest.mark.parametrize("number", [0, -1, 10**9 + 1, 2**60])
def test_a_limit_is_a_sensible_number(field: str, number: int) -> None:
    """Zero, negative and absurd limits are refused."""
    limits = msgspec.convert({field: number}, Limits)
    with pytest.raises(BadField) as caught:
        checked_limits(limits)
    assert caught.value.field == field


def test_models_are_stored_once_and_in_order() -> None:
    """So equal limits are equal."""
    assert checked_limits(Limits(models=("b", "a", "b"))) == Limits(models=("a", "b"))
    assert checked_limits(NO_LIMITS) is NO_LIMITS


def test_a_key_allows_no_more_than_its_account() -> None:
    """Models outside the account's are refused; an empty list is within any."""
    account = Limits(models=("a", "b"))
    assert checked_limits(Limits(models=()), within=account).models == ()
    assert checked_limits(Limits(models=("a",)), within=account).models == ("a",)
    with pytest.raises(BadField):
        checked_limits(Limits(models=("a", "c")), within=account)


@pytest.mark.parametrize("models", [("a//b",), tuple(f"m{number}" for number in range(1001))])
def test_models_are_aliases_and_not_too_many(models: tuple[str, ...]) -> None:
    """What cannot be an alias cannot be allowed."""
    with pytest.raises(BadField):
        checked_limits(Limits(models=models))
