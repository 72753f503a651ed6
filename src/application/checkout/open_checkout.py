"""A page at the payment provider on which an order is paid."""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.checkout.ports import SessionRequest
from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order, load_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import Order, existing
from domain.recharge.placing import open_session
from domain.refusal import WrongState

_LEAST_US: Final = 31 * 60 * 1_000_000
"""Providers make no page that lives shorter than half an hour."""
_BACK: Final = "/orders/{order_id}"
"""Where a customer's browser comes back to. Nobody can name another place, and coming back does nothing."""


class OpenCheckout(Command, frozen=True, kw_only=True):
    """The page of an order. Asked again while it is open, the same page."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID


class CheckoutOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the customer."""

    url: str
    session_ref: str
    expires_us: int
    is_code: bool  #: not to be opened but to be shown as a QR code, which the customer's phone reads
    done: Done


def handle(command: OpenCheckout, *, actor: Actor, ports: Ports) -> CheckoutOpened:
    """Open it.

    Raises:
        NotFound: there is no such order, or its provider is not set up.
        WrongState: nobody waits for its payment, its end is too near, or it is of another mode.
        ProviderUnavailable, ProviderRefused: no page was opened, or one that nobody knows of.
    """
    order = load_order(ports.store, command.order_id)
    checkout = ports.checkouts.get(order.placed.provider)
    at = stamp(ports, actor)
    _require_open(order, mode=checkout.mode, now_us=at.now_us)
    request = _request(order, back=ports.pages_url + _BACK)
    session = checkout.open_session(request)
    done = change_order(
        ports.store,
        command.order_id,
        lambda now: open_session(
            existing(now, command.order_id),
            session_ref=session.session_ref,
            idempotency_key=request.idempotency_key,
            expires_us=session.expires_us,
            stamp=at,
        ),
    )
    return CheckoutOpened(
        url=session.url,
        session_ref=session.session_ref,
        expires_us=session.expires_us,
        is_code=session.is_code,
        done=done,
    )


def _require_open(order: Order, *, mode: str, now_us: int) -> None:
    if not order.is_waiting or order.status == "processing":
        raise WrongState("order", order.status)
    if order.placed.mode != mode:
        raise WrongState("order", f"of {order.placed.mode} mode")
    if order.placed.expires_us < now_us + _LEAST_US:
        raise WrongState("order", "about to expire")


def _request(order: Order, *, back: str) -> SessionRequest:
    placed = order.placed
    page = 1 + sum(1 for is_open in order.sessions.values() if not is_open)
    address = back.format(order_id=placed.order_id)
    return SessionRequest(
        order_id=placed.order_id,
        page=page,
        account_id=placed.account_id,
        amount_minor=placed.amount_minor,
        currency=placed.currency,
        description=f"Credit, order {placed.reference}",
        expires_us=placed.expires_us,
        idempotency_key=f"order/{placed.order_id}/session/{page}",
        success_url=address,
        cancel_url=address,
    )
