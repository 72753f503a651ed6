"""The order that is under way is paid by the saved way to pay, and its end is noted.

It may be done again after a crash at any point, and by several at once. The payment's id is in the log before money is taken, and
money is taken by that id only; what a provider says of it is told to the order, as by a message of the provider's.
"""

from typing import Final
from uuid import UUID

import msgspec

from application.auto_recharge.stream import change_auto, load_auto
from application.checkout.methods import Charge, SavedMethods, Taken
from application.checkout.observe import observe
from application.checkout.ports import Checkouts, ProviderRefused
from application.clock import Clock
from application.eventlog import EventStore
from application.recharge.change_order import change_order, load_order
from domain.auto_recharge import trying
from domain.auto_recharge.auto import Auto, Try
from domain.fact import SYSTEM, Stamp
from domain.recharge.events import RechargeCredited
from domain.recharge.order import Order, existing, order_stream
from domain.recharge.placing import cancel
from domain.refusal import WrongState

_DECLINED: Final = "declined"


class FollowTools(msgspec.Struct, frozen=True, kw_only=True):
    """What following works with."""

    checkouts: Checkouts
    store: EventStore
    clock: Clock


def follow(account_id: UUID, tools: FollowTools) -> bool:
    """Take the account's open order one step on; whether anything was noted.

    Raises:
        NotFound: the order's provider is not set up.
        BadField: it keeps no ways to pay any more.
        WrongState: it is set up in the other mode.
        ProviderUnavailable: nobody knows whether money was taken; asking again is safe.
        Refusal, EventLogError: what was seen is not stored yet; asking again is safe.
    """
    auto = load_auto(tools.store, account_id)
    one = auto.open_try
    if one is None:
        return False
    order = load_order(tools.store, one.order_id)
    if order.credited is not None:
        return _paid(order, tools)
    waits_for_customer = order.is_waiting and one.state == "needs_customer"
    if waits_for_customer or order.captured_minor:  # money that does not match is an operator's to look at
        return False
    taken = _taken(auto, one, order, tools) if order.is_waiting else _given_up(one, order, tools)
    if taken.payment is not None:
        observe(taken.payment, store=tools.store, clock=tools.clock)
    return _noted(taken, load_order(tools.store, order.order_id), tools)


def _taken(auto: Auto, one: Try, order: Order, tools: FollowTools) -> Taken:
    """The money, or why there is none."""
    methods = _methods(order, tools)
    try:
        return methods.take(one.payment_ref or _begun(auto, order, methods, tools))
    except ProviderRefused as error:
        return Taken(state="failed", reason=error.reason)


def _begun(auto: Auto, order: Order, methods: SavedMethods, tools: FollowTools) -> str:
    """The id of the payment, in the log; raises `ProviderRefused` where there can be none."""
    method, placed = auto.method, order.placed
    if method is None:
        raise ProviderRefused("method_forgotten")
    payment_ref = methods.begin(
        Charge(
            order_id=order.order_id,
            account_id=order.account_id,
            amount_minor=placed.amount_minor,
            currency=placed.currency,
            method_ref=method.method_ref,
            customer_ref=method.customer_ref,
            idempotency_key=f"order/{order.order_id}/charge",
        )
    )
    at = _stamp(tools)
    change_auto(
        tools.store,
        order.account_id,
        lambda now: trying.begin(
            now, account_id=order.account_id, order_id=order.order_id, payment_ref=payment_ref, stamp=at
        ),
    )
    known = load_auto(tools.store, order.account_id).open_try
    if known is None or known.payment_ref is None:
        raise ProviderRefused("over_meanwhile")
    return known.payment_ref  # of two that were begun at once, the first that was noted


def _given_up(one: Try, order: Order, tools: FollowTools) -> Taken:
    """Of an order that nobody waits for any more: no money is taken, unless it was."""
    reason = order.ended or _DECLINED
    if one.payment_ref is None or one.state == "needs_customer":
        return Taken(state="failed", reason=reason)
    try:
        taken = _methods(order, tools).give_up(one.payment_ref)
    except ProviderRefused:
        return Taken(state="failed", reason=reason)
    return (
        taken if taken.state in {"captured", "processing"} else msgspec.structs.replace(taken, reason=reason)
    )


def _noted(taken: Taken, order: Order, tools: FollowTools) -> bool:
    if order.credited is not None:
        return _paid(order, tools)
    if order.captured_minor or taken.state in {"captured", "processing"}:
        return False
    account_id, at = order.account_id, _stamp(tools)
    if taken.state == "needs_customer" and order.is_waiting:
        done = change_auto(
            tools.store,
            account_id,
            lambda auto: trying.need_customer(auto, account_id=account_id, order_id=order.order_id, stamp=at),
        )
        return bool(done.events)
    reason = taken.reason or _DECLINED
    try:
        # First, so that nobody pays what was given up: a crash in between finds it cancelled.
        change_order(
            tools.store,
            order.order_id,
            lambda now: cancel(
                existing(now, order.order_id), reason=f"automatic recharge: {reason}", stamp=at
            ),
        )
    except WrongState:
        return False  # it was paid meanwhile
    done = change_auto(
        tools.store,
        account_id,
        lambda auto: trying.decline(
            auto, account_id=account_id, order_id=order.order_id, reason=reason, stamp=at
        ),
    )
    return bool(done.events)


def _paid(order: Order, tools: FollowTools) -> bool:
    position = next(
        one.position
        for one in tools.store.read_stream(order_stream(order.order_id))
        if one.topic == RechargeCredited.TOPIC
    )
    at = _stamp(tools)
    done = change_auto(
        tools.store,
        order.account_id,
        lambda auto: trying.pay(
            auto,
            account_id=order.account_id,
            order_id=order.order_id,
            credited_position=position,
            stamp=at,
        ),
    )
    return bool(done.events)


def _methods(order: Order, tools: FollowTools) -> SavedMethods:
    if tools.checkouts.get(order.placed.provider).mode != order.placed.mode:
        raise WrongState("order", f"of {order.placed.mode} mode")
    return tools.checkouts.saving(order.placed.provider)


def _stamp(tools: FollowTools) -> Stamp:
    return Stamp(now_us=tools.clock.now_us(), actor=SYSTEM.label)
