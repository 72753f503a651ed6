"""Whose something is: asked before a customer's command about it is even decoded. Blocking.

What is another account's is not there, exactly as what does not exist.
"""

from typing import Any
from uuid import UUID

from application.eventlog import EventStore, RecordedEvent
from domain.budgets.events import BudgetSet
from domain.event import Event
from domain.hooks.endpoint import endpoint_stream
from domain.hooks.events import EndpointRegistered
from domain.keys.events import ApiKeyIssued
from domain.management import ManagementKeyIssued, management_stream
from domain.recharge.events import RechargeOrderPlaced
from domain.recharge.order import order_stream
from domain.refusal import NotFound, NotPermitted
from domain.topics import REGISTRY


def require_key(store: EventStore, key_id: UUID, *, account_id: UUID) -> None:
    """Raises: NotFound: it is no API key of the account."""
    _require(store.read_stream(key_id), ApiKeyIssued, account_id, kind="API key")


def require_management_key(store: EventStore, key_id: UUID, *, account_id: UUID) -> None:
    """Raises: NotFound: it is no management key of the account."""
    found = store.read_stream(management_stream(key_id))
    _require(found, ManagementKeyIssued, account_id, kind="management key")


def require_order(store: EventStore, order_id: UUID, *, account_id: UUID) -> None:
    """Raises: NotFound: it is no order of the account."""
    _require(store.read_stream(order_stream(order_id)), RechargeOrderPlaced, account_id, kind="order")


def require_endpoint(store: EventStore, endpoint_id: UUID, *, account_id: UUID) -> None:
    """Raises: NotFound: it is no endpoint of the account."""
    found = store.read_stream(endpoint_stream(endpoint_id))
    _require(found, EndpointRegistered, account_id, kind="endpoint")


def require_budget(store: EventStore, budget_id: UUID, *, account_id: UUID) -> None:
    """A budget that the account's own people have set.

    Raises:
        NotFound: it is none of the account or its keys.
        NotPermitted: an operator has set it, and only operators change it.
    """
    first = _require(store.read_stream(budget_id), BudgetSet, account_id, kind="budget")
    if first.actor.partition(":")[0] in {"operator", "system"}:
        raise NotPermitted("an operator, who has set this budget")


def _require(
    recorded: list[RecordedEvent], kind_of_event: type[Event], account_id: UUID, *, kind: str
) -> Any:
    """The first fact, which says whose it is."""
    first = recorded[0] if recorded else None
    if first is not None and first.topic == kind_of_event.TOPIC:
        fact: Any = REGISTRY.decode(first.topic, first.state)
        if fact.account_id == account_id:
            return fact
    raise NotFound(kind)
