"""Limits of accounts and keys."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import NO_LIMITS, Limits, ProviderPolicy, checked_limits, policy_of
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


def test_providers_are_stored_once_and_in_order() -> None:
    """Allowed and denied; what is left out is not stored, so that older facts mean what they meant."""
    found = checked_limits(Limits(allowed_providers=("b", "a", "b"), denied_providers=("d", "c", "d")))
    assert (found.allowed_providers, found.denied_providers) == (("a", "b"), ("c", "d"))
    assert msgspec.json.encode(checked_limits(Limits(rpm=1))) == b'{"rpm":1}'


@pytest.mark.parametrize("field", ["allowed_providers", "denied_providers"])
@pytest.mark.parametrize("names", [("No Name",), ("",), tuple(f"p{number}" for number in range(201))])
def test_providers_are_names_and_not_too_many(field: str, names: tuple[str, ...]) -> None:
    """What cannot be a provider cannot be allowed or denied."""
    with pytest.raises(BadField) as caught:
        checked_limits(msgspec.convert({field: names}, Limits))
    assert caught.value.field == field


def test_a_key_allows_no_provider_that_its_account_does_not() -> None:
    """It may deny any."""
    account = Limits(allowed_providers=("a", "b"))
    assert checked_limits(Limits(allowed_providers=("a",)), within=account).allowed_providers == ("a",)
    assert checked_limits(Limits(denied_providers=("z",)), within=account).denied_providers == ("z",)
    with pytest.raises(BadField):
        checked_limits(Limits(allowed_providers=("a", "c")), within=account)


def test_a_policy_is_made_only_where_there_is_one() -> None:
    """Nearly every key has none."""
    assert policy_of(Limits(rpm=1, models=("a",))) is None
    assert policy_of(Limits(allowed_providers=())) == ProviderPolicy(allowed=frozenset())


NAMES = st.frozensets(st.sampled_from("abcd"))
POLICIES = st.builds(ProviderPolicy, allowed=st.none() | NAMES, denied=NAMES)


@given(POLICIES, POLICIES, st.sampled_from("abcd"))
def test_two_policies_allow_what_both_allow(one: ProviderPolicy, other: ProviderPolicy, name: str) -> None:
    """A key never widens its account's."""
    assert one.and_also(other).allows(name) == (one.allows(name) and other.allows(name))
