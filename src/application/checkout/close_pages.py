"""The pages of an order that nobody waits for any more are closed at their provider, so that nobody pays there by mistake.

A courtesy: a page that cannot be closed now ends by itself, and what is paid on it nevertheless is credited.
"""

import structlog

from application.checkout.ports import Checkouts, ProviderError
from domain.recharge.order import Order
from domain.refusal import NotFound

log = structlog.get_logger()


def close_pages(order: Order, *, checkouts: Checkouts) -> None:
    """Close those that are open."""
    opened = [session_ref for session_ref, is_open in order.sessions.items() if is_open]
    if not opened:
        return
    try:
        checkout = checkouts.get(order.placed.provider)
        for session_ref in opened:
            checkout.close_session(session_ref)
    except (NotFound, ProviderError) as error:
        log.warning("page_not_closed", order_id=str(order.order_id), error=type(error).__name__)
