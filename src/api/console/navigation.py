"""What stands at the side of every page: where one can go, as far as one's role goes."""

from typing import Final

import msgspec

from api.console.access import Visit
from api.console.texts import N_
from domain.members import MemberPermission
from domain.operators import Permission


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One way. `label` is translated where it is shown."""

    path: str
    label: str
    icon: str
    is_current: bool = False
    count: int = 0  #: of what is new there
    is_name: bool = False  #: what somebody has called it, in no language of ours


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Ways that belong together."""

    label: str
    items: tuple[Item, ...]


_ADMIN: Final[tuple[tuple[str, tuple[tuple[str, str, str, Permission], ...]], ...]] = (
    (
        "",
        (
            ("/console", N_("Overview"), "home", "read"),
            ("/console/requests", N_("Requests"), "activity", "read"),
            ("/console/launch", N_("Launch"), "rocket", "read"),
        ),
    ),
    (
        N_("Customers"),
        (
            ("/console/customers", N_("Accounts"), "users", "read"),
            ("/console/keys", N_("API keys"), "key", "read"),
            ("/console/management-keys", N_("Management keys"), "shield", "read"),
            ("/console/endpoints", N_("Customers' webhooks"), "hook", "read"),
            ("/console/budgets", N_("Budgets"), "gauge", "read"),
            ("/console/announcements", N_("Announcements"), "megaphone", "read"),
            ("/console/mails", N_("Mails"), "mail", "read"),
        ),
    ),
    (
        N_("Catalogue"),
        (
            ("/console/models", N_("Models"), "layers", "read"),
            ("/console/prices", N_("Prices"), "coins", "read"),
            ("/console/providers", N_("Providers"), "server", "read"),
            ("/console/routing", N_("Route simulator"), "route", "read"),
        ),
    ),
    (
        N_("Sales"),
        (
            ("/console/orders", N_("Orders"), "cart", "read"),
            ("/console/refunds", N_("Refunds and disputes"), "undo", "read"),
            ("/console/receivables", N_("On account"), "clock", "read"),
            ("/console/codes", N_("Codes"), "ticket", "read"),
            ("/console/webhooks", N_("Payment messages"), "inbox", "read"),
        ),
    ),
    (
        N_("Invoicing"),
        (
            ("/console/documents", N_("Documents"), "file", "read"),
            ("/console/invoices", N_("Sellers and series"), "receipt", "read"),
        ),
    ),
    (
        N_("Corrections"),
        (
            ("/console/charges", N_("Charges to review"), "flag", "read"),
            ("/console/adjustments", N_("Adjustments"), "sliders", "read"),
            ("/console/repricing", N_("Repricing"), "clock", "read"),
        ),
    ),
    (
        N_("Books"),
        (
            ("/console/earnings", N_("Earnings"), "chart", "read"),
            ("/console/money", N_("Books in money"), "scale", "read"),
            ("/console/ledger", N_("Ledger"), "list", "read"),
        ),
    ),
    (
        N_("Control"),
        (
            ("/console/audit", N_("Audit log"), "list", "read"),
            ("/console/work", N_("Long work"), "clock", "read"),
            ("/console/operators", N_("Operators"), "shield", "read"),
            ("/console/settings", N_("Settings"), "gear", "read"),
        ),
    ),
)
NOTICES: Final = "/notices"
_APP: Final[tuple[tuple[str, tuple[tuple[str, str, str, MemberPermission], ...]], ...]] = (
    (
        "",
        (
            ("", N_("Overview"), "home", "read"),
            ("/playground", N_("Playground"), "spark", "read"),
            ("/requests", N_("Requests"), "activity", "read"),
            ("/usage", N_("Usage"), "chart", "read"),
        ),
    ),
    (
        N_("Build"),
        (
            ("/keys", N_("API keys"), "key", "read"),
            ("/models", N_("Models and prices"), "layers", "read"),
            ("/management-keys", N_("Management keys"), "shield", "read"),
            ("/webhooks", N_("Webhooks"), "inbox", "read"),
        ),
    ),
    (
        N_("Account"),
        (
            ("/budgets", N_("Budgets and alerts"), "scale", "read"),
            ("/recharge", N_("Top up"), "wallet", "read"),
            ("/documents", N_("Invoices"), "receipt", "read"),
            ("/statements", N_("Statements"), "list", "read"),
            ("/members", N_("Members"), "users", "read"),
            (NOTICES, N_("Notices"), "bell", "read"),
            ("/settings", N_("Settings"), "gear", "read"),
        ),
    ),
)


def navigation(visit: Visit, path: str, *, unseen: int = 0) -> tuple[Group, ...]:
    """For operators on their pages, for members on theirs; elsewhere the way to one's accounts."""
    if visit.account_id is not None:
        base = f"/app/{visit.account_id}"
        return tuple(_group(label, rows, base=base, path=path, unseen=unseen) for label, rows in _APP)
    if visit.role is not None:
        return tuple(_group(label, rows, base="", path=path) for label, rows in _ADMIN)
    return (Group(label=N_("Accounts"), items=_accounts(visit)),) if visit.accounts else ()


def _accounts(visit: Visit) -> tuple[Item, ...]:
    return tuple(
        Item(path=f"/app/{one}", label=name or N_("Without a name"), icon="home", is_name=bool(name))
        for one, name in visit.accounts.items()
    )


def _group(
    label: str, rows: tuple[tuple[str, str, str, object], ...], *, base: str, path: str, unseen: int = 0
) -> Group:
    items = []
    for end, name, icon, _permission in rows:
        where = f"{base}{end}"
        is_root = end in {"", "/console"}
        is_current = path == where if is_root else path == where or path.startswith(f"{where}/")
        count = unseen if end == NOTICES else 0
        items.append(Item(path=where, label=name, icon=icon, is_current=is_current, count=count))
    return Group(label=label, items=tuple(items))
