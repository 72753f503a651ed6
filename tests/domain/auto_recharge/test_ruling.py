"""Saving a way to pay, and saying when to recharge with it."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.auto_recharge.events import AutoRechargeStopped, MethodForgotten, MethodSaved
from domain.auto_recharge.ruling import PAGES_MAX, forget_method, observe_method, open_page, set_rule, stop
from domain.refusal import BadField, WrongState
from tests.domain.auto_recharge.autos import (
    GROSS_MINOR,
    MEMBER,
    METHOD,
    RULE,
    SPEC,
    at,
    left,
    page,
    rule_set,
    saved,
    switched_on,
)
from tests.domain.recharge.orders import ACCOUNT, NOW_US
from tests.spec import Decision

STOPPED = AutoRechargeStopped(account_id=ACCOUNT, reason="asked", occurred_us=NOW_US, actor=MEMBER)


def setting(*facts: Any, **changes: Any) -> Decision:
    return SPEC.given(*facts).when(
        lambda auto: set_rule(
            auto,
            account_id=ACCOUNT,
            rule=replace(RULE, **changes),
            gross_minor=GROSS_MINOR,
            stamp=at(actor=MEMBER),
        )
    )


def test_what_is_left_on_our_page_is_kept_once() -> None:
    """Under the provider's own names, with the brand and nothing else of a card."""
    kept = MethodSaved(
        account_id=ACCOUNT,
        provider="stripe",
        mode="live",
        session_ref="cs_1",
        method_ref="pm_1",
        customer_ref="cus_1",
        brand="visa",
        occurred_us=NOW_US,
        actor="provider:stripe",
    )
    by_provider = at(actor="provider:stripe")
    SPEC.given(*page()).when(lambda auto: observe_method(auto, left(), stamp=by_provider)).then(kept)
    SPEC.given(*saved()).when(lambda auto: observe_method(auto, left(), stamp=by_provider)).then_nothing()
    assert SPEC.fold(*saved()).method == METHOD


@pytest.mark.parametrize(
    "changes", [{"status": "open"}, {"status": "expired"}, {"session_ref": "cs_9"}, {"method_ref": ""}]
)
def test_what_was_not_left_on_a_page_of_ours_is_nothing(changes: dict[str, Any]) -> None:
    """A page that is open or over, one that we have not opened, and one without a way to pay."""
    SPEC.given(*page()).when(lambda auto: observe_method(auto, left(**changes), stamp=at())).then_nothing()


def test_there_are_not_any_number_of_pages() -> None:
    """The same page is one, however often it is noted."""
    many = [event for number in range(PAGES_MAX) for event in page(number)]

    def opening(session_ref: str) -> Decision:
        return SPEC.given(*many).when(
            lambda auto: open_page(
                auto,
                account_id=ACCOUNT,
                provider="stripe",
                mode="live",
                session_ref=session_ref,
                expires_us=NOW_US,
                stamp=at(),
            )
        )

    opening("cs_1").then_nothing()
    opening("cs_x").then_refused(WrongState)


def test_a_rule_is_set_replaced_and_stopped() -> None:
    """The same again does nothing, unless it was stopped between."""
    setting(*saved()).then(rule_set())
    setting(*switched_on()).then_nothing()
    setting(*switched_on(), cap_minor=40_000).then(rule_set(cap_minor=40_000))
    setting(*switched_on(), STOPPED).then(rule_set())
    by_member = at(actor=MEMBER)
    stopping = SPEC.given(*switched_on()).when(
        lambda auto: stop(auto, account_id=ACCOUNT, reason="asked", stamp=by_member)
    )
    stopping.then(STOPPED)
    SPEC.given(*switched_on(), STOPPED).when(
        lambda auto: stop(auto, account_id=ACCOUNT, reason="asked", stamp=by_member)
    ).then_nothing()


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold_nano": 0},
        {"threshold_nano": -1},
        {"threshold_nano": 2**63},
        {"cap_minor": 0},
        {"cap_minor": GROSS_MINOR - 1},
        {"cap_minor": 10**14},
        {"zone": "Mars/Olympus"},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    """A cap below one recharge would never let one happen."""
    setting(*saved(), **changes).then_refused(BadField)


def test_without_a_way_to_pay_there_is_no_rule() -> None:
    """One that was forgotten is none; forgetting it stops the rule in the same breath."""
    setting().then_refused(WrongState)
    by_member = at(actor=MEMBER)
    forgotten = MethodForgotten(
        account_id=ACCOUNT, provider="stripe", method_ref="pm_1", occurred_us=NOW_US, actor=MEMBER
    )
    SPEC.given(*switched_on()).when(
        lambda auto: forget_method(auto, account_id=ACCOUNT, stamp=by_member)
    ).then(forgotten, replace(STOPPED, reason="method_forgotten"))
    SPEC.given(*saved()).when(lambda auto: forget_method(auto, account_id=ACCOUNT, stamp=by_member)).then(
        forgotten
    )
    SPEC.given().when(lambda auto: forget_method(auto, account_id=ACCOUNT, stamp=by_member)).then_nothing()
    setting(*saved(), forgotten).then_refused(WrongState)
