"""Wait for no payment of an order any more."""

from typing import ClassVar
from uuid import UUID

from application.checkout.close_pages import close_pages
from application.command import Command, Done, Ports, stamp
from application.recharge.change_order import change_order, load_order
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge.order import existing
from domain.recharge.placing import cancel


class CancelOrder(Command, frozen=True, kw_only=True):
    """A payment that comes in nevertheless is credited."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    reason: str


def handle(command: CancelOrder, *, actor: Actor, ports: Ports) -> Done:
    """Cancel it, and close its pages where their provider answers; raises as `placing.cancel`, and `NotFound`."""
    at = stamp(ports, actor)
    done = change_order(
        ports.store,
        command.order_id,
        lambda order: cancel(existing(order, command.order_id), reason=command.reason, stamp=at),
    )
    close_pages(load_order(ports.store, command.order_id), checkouts=ports.checkouts)
    return done
