"""Everything that is kept of an account, for its owners to take with them: one JSON file, with no secret and no hash of one.

Requests and statements are files of their own, since there may be millions of lines.
"""

from sys import maxsize
from typing import Any, Final
from uuid import UUID

import msgspec

from api.admin.reading import nothing_yet
from api.admin.views import names_of
from api.console.files import every
from api.console.key_lists import list_keys
from api.console.tools import ConsoleTools
from application.accounts.contact import contact_of
from application.budgets.queries import BudgetAlert
from application.command import load
from application.invoicing.buyers import profile_and_buyer
from application.people.email import open_email
from application.recharge.queries import OrderFilter, OrderRow
from application.support.looks import looks_into
from domain.invoicing import billing
from domain.invoicing.billing import Billing, billing_stream
from domain.members import NO_MEMBERS
from domain.privacy import SubjectErased
from domain.refusal import NotFound

FORM: Final = "tokenok.account.v1"
_PAGE_ROWS: Final = 500


def export_of(tools: ConsoleTools, account_id: UUID) -> bytes:
    """Blocking."""
    admin = tools.admin
    account, ports = admin.directory.accounts[account_id], admin.ports
    body: dict[str, Any] = {
        "form": FORM,
        "made_us": ports.clock.now_us(),
        "account_id": account_id,
        "name": names_of(ports, [account_id]).get(account_id),
        "status": account.status,
        "limits": account.limits,
        "contact": contact_of(ports.personal, account),
        "billing": _billing(tools, account_id),
        "balance": admin.balances.balance(account_id) or nothing_yet(account_id),
        "members": _members(tools, account_id),
        "keys": _keys(tools, account_id),
        "budgets": [one for one in admin.directory.budgets.values() if one.account_id == account_id],
        "orders": _orders(tools, account_id),
        "alerts": _alerts(tools, account_id),
        "looks_of_support": looks_into(ports.store, account_id, limit=None),
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def _billing(tools: ConsoleTools, account_id: UUID) -> dict[str, Any] | None:
    ports = tools.admin.ports
    state = load(ports.store, billing_stream(account_id), Billing(), billing.evolve)
    try:
        profile, buyer = profile_and_buyer(ports.personal, state)
    except (NotFound, SubjectErased):
        return None
    return {"since_us": profile.occurred_us, "is_business": profile.is_business, "buyer": buyer}


def _members(tools: ConsoleTools, account_id: UUID) -> list[dict[str, Any]]:
    members = tools.admin.directory.members.get(account_id, NO_MEMBERS).members
    return [
        {
            "person_id": one.person_id,
            "email": open_email(tools.admin.ports.personal, one.person_id, one.pii),
            "role": one.role,
            "since_us": one.since_us,
        }
        for one in members.values()
    ]


def _alerts(tools: ConsoleTools, account_id: UUID) -> list[BudgetAlert]:
    def turn(before: Any) -> tuple[Any, Any]:
        page = tools.admin.budgets.alerts(account_id=account_id, before_position=before, limit=_PAGE_ROWS)
        return page.items, page.next_before

    return every(turn, rows_max=maxsize)


def _orders(tools: ConsoleTools, account_id: UUID) -> list[OrderRow]:
    def turn(before: Any) -> tuple[Any, Any]:
        wanted = OrderFilter(account_id=account_id)
        page = tools.admin.orders.orders(wanted, before_position=before, limit=_PAGE_ROWS)
        return page.items, page.next_before

    return every(turn, rows_max=maxsize)


def _keys(tools: ConsoleTools, account_id: UUID) -> list[dict[str, Any]]:
    def turn(after: Any) -> tuple[Any, Any]:
        page = list_keys(tools.admin, account_id=account_id, after=after, limit=_PAGE_ROWS)
        return page.rows, page.next_after

    return [
        {
            "key_id": one.key_id,
            "name": one.name,
            "begins_with": [secret.prefix for secret in one.secrets],
            "limits": one.limits,
            "expires_us": one.expires_us,
            "revoked": one.revoked,
        }
        for one in every(turn, rows_max=maxsize)
    ]
