"""How many orders an account may leave unpaid: providers are asked what became of each, and must not be asked for nothing."""

from typing import ClassVar, Final
from uuid import UUID

from application.recharge.queries import OrderFilter, OrderQueries
from domain.recharge.order import OrderStatus
from domain.refusal import Refusal

UNPAID_MAX: Final = 20
_LATEST: Final = 100
_UNPAID: Final[frozenset[OrderStatus]] = frozenset({"placed", "session_open", "failed"})


class TooManyOrders(Refusal):
    """The account has many orders that nobody has paid; nothing was ordered. They end by themselves, or can be cancelled."""

    code: ClassVar[str] = "too_many_orders"


def require_few(orders: OrderQueries, account_id: UUID) -> None:
    """For whoever lets customers order. As last projected: a few more may slip through at once.

    Raises:
        TooManyOrders: see there.
    """
    latest = orders.orders(OrderFilter(account_id=account_id), limit=_LATEST).items
    if sum(one.status in _UNPAID for one in latest) >= UNPAID_MAX:
        raise TooManyOrders(f"{UNPAID_MAX} orders wait to be paid: pay or cancel one of them first")
