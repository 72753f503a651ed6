"""Does what a customer commands: by the operators' own table and execution, bound to the customer's account. Blocking."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from api.admin.codes import BadRequest
from api.admin.execution import run
from api.admin.tables.entry import Entry
from api.customer.commands import Allowed
from application import ownership
from application.command import Ports
from application.idempotency import Answer, IdempotencyStore
from application.management.key_ring import Customer
from application.recharge.place_order import Placed, PlaceOrder
from application.recharge.place_order import handle as place_order
from application.recharge.queries import OrderQueries
from application.recharge.unpaid import require_few
from domain.fact import Actor


def do(
    allowed: Allowed,
    body: bytes,
    *,
    key: str | None,
    customer: Customer,
    ports: Ports,
    idempotency: IdempotencyStore,
    orders: OrderQueries,
) -> Answer:
    """Do it once per idempotency key; raises as `execution.run`, and `NotFound` for what is another account's."""
    given = _fields(body, allowed)
    bound = bind(allowed, given, account_id=customer.account_id, ports=ports)
    return run(
        _bounded(allowed.entry, orders),
        msgspec.json.encode(bound, order="sorted"),
        key=key,
        actor=customer.actor,
        ports=ports,
        idempotency=idempotency,
    )


def _bounded(entry: Entry, orders: OrderQueries) -> Entry:
    """The command with what keeps customers within bounds that operators do not have. A repeated one is answered as before."""
    if (entry.noun, entry.verb) != ("order", "place"):
        return entry

    def handle(command: PlaceOrder, *, actor: Actor, ports: Ports) -> Placed:
        require_few(orders, command.account_id)
        return place_order(command, actor=actor, ports=ports)

    return msgspec.structs.replace(entry, handle=handle)


def bind(allowed: Allowed, given: Mapping[str, Any], *, account_id: UUID, ports: Ports) -> dict[str, Any]:
    """The fields with the account's id among them, once what they name is known to be the account's.

    Raises:
        NotFound: it is not.
    """
    store, fields = ports.store, dict(given)
    match allowed.own:
        case "account":
            fields["account_id"] = account_id
        case "key":
            ownership.require_key(store, _id(fields, "key_id"), account_id=account_id)
        case "management-key":
            ownership.require_management_key(store, _id(fields, "key_id"), account_id=account_id)
        case "order":
            ownership.require_order(store, _id(fields, "order_id"), account_id=account_id)
        case "endpoint":
            ownership.require_endpoint(store, _id(fields, "endpoint_id"), account_id=account_id)
        case "budget":
            ownership.require_budget(store, _id(fields, "budget_id"), account_id=account_id)
        case "budgeted":
            if fields.get("budget_id") is not None:
                ownership.require_budget(store, _id(fields, "budget_id"), account_id=account_id)
            if fields.get("key_id") is not None:
                ownership.require_key(store, _id(fields, "key_id"), account_id=account_id)
            else:
                fields["account_id"] = account_id
    return fields


def _fields(body: bytes, allowed: Allowed) -> dict[str, Any]:
    """The members of the object in a body, none of them beyond what is allowed."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = str(error) if isinstance(error, msgspec.ValidationError) else "the body is no valid JSON"
        raise BadRequest(detail) from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    if not found.keys() <= allowed.fields:
        raise BadRequest(f"only these fields may be given: {', '.join(sorted(allowed.fields))}")
    return found


def _id(fields: Mapping[str, Any], name: str) -> UUID:
    try:
        return msgspec.convert(fields.get(name), UUID)
    except msgspec.ValidationError:
        raise BadRequest(f"{name} must be an id") from None
