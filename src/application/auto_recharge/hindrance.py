"""What keeps a low balance from being recharged, beyond the rule itself."""

from typing import Literal
from uuid import UUID

from application.accounts.stream import load_account
from application.checkout.ports import Checkouts
from application.eventlog import EventStore
from application.ledger.wallet_reader import load_wallet
from application.recharge.queries import OrderFilter, OrderQueries
from domain.auto_recharge.auto import Method
from domain.refusal import NotFound

Hindrance = Literal["account", "debt", "dispute", "provider"]


def hindrance_of(
    account_id: UUID, method: Method, *, store: EventStore, orders: OrderQueries, checkouts: Checkouts
) -> Hindrance | None:
    """The first that there is: the account is not open, it owes, a payment of its is disputed, or its provider is not set up.

    Of disputes the read model is asked: one that it does not know of yet hinders the next time.
    """
    if load_account(store, account_id).status != "open":
        return "account"
    if load_wallet(store, account_id).wallet.owed_nano > 0:
        return "debt"
    if orders.orders(OrderFilter(account_id=account_id, status="disputed"), limit=1).items:
        return "dispute"
    return None if _is_there(method, checkouts) else "provider"


def _is_there(method: Method, checkouts: Checkouts) -> bool:
    """Set up, and in the mode in which the way to pay was left."""
    try:
        return checkouts.get(method.provider).mode == method.mode and method.provider in checkouts.savers()
    except NotFound:
        return False
