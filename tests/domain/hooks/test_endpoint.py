"""Endpoints: where a customer is told of what, and with which secret."""

from typing import Any
from uuid import UUID

from domain.accounts import Account
from domain.fact import Stamp
from domain.hooks import endpoint as rules
from domain.hooks.endpoint import ENDPOINTS_MAX, OVERLAP_S_MAX, Endpoint
from domain.hooks.events import (
    EndpointChanged,
    EndpointDisabled,
    EndpointEnabled,
    EndpointEvent,
    EndpointRegistered,
    EndpointRemoved,
    EndpointReplayed,
    EndpointSecretRotated,
)
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.spec import Spec

ACCOUNT, ENDPOINT = UUID(int=1), UUID(int=2)
AT = Stamp(now_us=10, actor="member:x")
BY: dict[str, Any] = {"endpoint_id": ENDPOINT, "occurred_us": 10, "actor": "member:x"}
KNOWN = {"order.credited", "key.revoked"}
URL, OTHER = "https://hooks.example.com/a/", "https://hooks.example.com/b"
REGISTERED = EndpointRegistered(
    **BY, account_id=ACCOUNT, url=URL, kinds=("key.revoked", "order.credited"), secret_version=1
)
DISABLED = EndpointDisabled(**BY, account_id=ACCOUNT, reason="moving")
REMOVED = EndpointRemoved(**BY)
spec: Spec[Endpoint | None] = Spec(rules.evolve, initial=None)


def register(
    endpoint: Endpoint | None, *, others: int = 0, kinds: tuple[str, ...] = ("order.credited", "key.revoked")
) -> list[EndpointEvent]:
    return rules.register(
        endpoint,
        endpoint_id=ENDPOINT,
        account=Account(account_id=ACCOUNT),
        others=others,
        url=URL,
        kinds=kinds,
        known=KNOWN,
        secret_version=1,
        stamp=AT,
    )


def change(endpoint: Endpoint | None, url: str = OTHER) -> list[EndpointEvent]:
    kinds = ("order.credited", "key.revoked")
    return rules.change(endpoint, url=url, kinds=kinds, known=KNOWN, stamp=AT)


def disable(endpoint: Endpoint | None) -> list[EndpointEvent]:
    return rules.disable(endpoint, reason=" moving ", stamp=AT)


def rotate(endpoint: Endpoint | None, version: int = 5, overlap_s: int = 2) -> list[EndpointEvent]:
    return rules.rotate(endpoint, secret_version=version, overlap_s=overlap_s, stamp=AT)


def test_an_endpoint_is_registered_once() -> None:
    """An account has not any number of them, and no kind that there is not."""
    spec.given().when(register).then(REGISTERED)
    spec.given(REGISTERED).when(register).then_refused(AlreadyExists)
    spec.given().when(lambda one: register(one, others=ENDPOINTS_MAX)).then_refused(WrongState)
    spec.given().when(lambda one: register(one, kinds=("nonsense",))).then_refused(BadField)


def test_without_kinds_it_is_told_of_everything() -> None:
    """With some of these only; one that is removed of nothing."""
    some, every = (
        spec.fold(REGISTERED),
        Endpoint(endpoint_id=ENDPOINT, account_id=ACCOUNT, url=URL, kinds=(), secret_version=1),
    )
    assert some is not None
    assert [one.wants("order.credited") for one in (some, every)] == [True, True]
    assert [one.wants("invoice.issued") for one in (some, every)] == [False, True]
    gone = spec.fold(REGISTERED, REMOVED)
    assert gone is not None
    assert not gone.wants("order.credited")


def test_address_and_kinds_are_replaced() -> None:
    """The same again does nothing."""
    changed = EndpointChanged(**BY, url=OTHER, kinds=("key.revoked", "order.credited"))
    spec.given(REGISTERED).when(change).then(changed)
    spec.given(REGISTERED, changed).when(change).then_nothing()


def test_two_secrets_sign_until_the_overlap_ends() -> None:
    """The former one is the one that signed before, whatever its number; without an overlap it ends at once."""
    rotated = EndpointSecretRotated(**BY, secret_version=5, overlap_until_us=2_000_010)
    spec.given(REGISTERED).when(rotate).then(rotated)
    endpoint = spec.fold(REGISTERED, rotated)
    assert endpoint is not None
    assert endpoint.secret_versions(2_000_009) == (5, 1)
    assert endpoint.secret_versions(2_000_010) == (5,)
    for overlap_s in (-1, OVERLAP_S_MAX + 1):
        spec.given(REGISTERED).when(lambda one, s=overlap_s: rotate(one, overlap_s=s)).then_refused(BadField)


def test_it_is_disabled_and_enabled() -> None:
    """Each of them once; the reason is told as long as it is disabled."""
    enabled = EndpointEnabled(**BY)
    spec.given(REGISTERED).when(disable).then(DISABLED)
    spec.given(REGISTERED, DISABLED).when(disable).then_nothing()
    spec.given(REGISTERED, DISABLED).when(lambda one: rules.enable(one, stamp=AT)).then(enabled)
    spec.given(REGISTERED).when(lambda one: rules.enable(one, stamp=AT)).then_nothing()
    states = [spec.fold(REGISTERED, DISABLED), spec.fold(REGISTERED, DISABLED, enabled)]
    assert [(one.state, one.reason) for one in states if one] == [("disabled", "moving"), ("enabled", "")]


def test_one_message_or_all_from_a_position_on_are_replayed() -> None:
    """One of the two must be said; it changes nothing of the endpoint."""

    def replay(one: Endpoint | None, position: int | None, message: str | None) -> list[EndpointEvent]:
        return rules.replay(one, from_position=position, message_id=message, stamp=AT)

    replayed = EndpointReplayed(**BY, from_position=7, message_id=None)
    spec.given(REGISTERED).when(lambda one: replay(one, 7, None)).then(replayed)
    spec.given(REGISTERED).when(lambda one: replay(one, None, "msg_1")).then(
        EndpointReplayed(**BY, from_position=None, message_id="msg_1")
    )
    assert spec.fold(REGISTERED, replayed) == spec.fold(REGISTERED)
    for position, message in ((None, None), (7, "msg_1"), (-1, None), (2**63, None), (None, "\n")):
        spec.given(REGISTERED).when(lambda one, p=position, m=message: replay(one, p, m)).then_refused(
            BadField
        )


def test_what_is_removed_is_not_there_any_more() -> None:
    """Removing it again does nothing; everything else finds nothing."""
    spec.given(REGISTERED).when(lambda one: rules.remove(one, stamp=AT)).then(REMOVED)
    spec.given(REGISTERED, REMOVED).when(lambda one: rules.remove(one, stamp=AT)).then_nothing()
    spec.given().when(lambda one: rules.remove(one, stamp=AT)).then_refused(NotFound)
    for decide in (change, disable, rotate, lambda one: rules.enable(one, stamp=AT)):
        spec.given(REGISTERED, REMOVED).when(decide).then_refused(NotFound)
        spec.given().when(decide).then_refused(NotFound)
