"""Reading what the directory knows, in pages. No secret and no hash is in an answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import Any, Final
from uuid import UUID

import msgspec

from application.command import Ports
from application.queries import Balance
from domain.accounts import Account
from domain.keys.key import ApiKey
from domain.management import ManagementKey
from domain.operators import Operator
from domain.refusal import NotFound

PAGE_ROWS: Final = 100
PAGE_ROWS_MAX: Final = 500

Item = dict[str, Any]


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """Balances by account id."""

    items: tuple[Balance, ...]
    next_after: str | None


def balances_page(ask: Callable[..., tuple[Balance, ...]], *, after: UUID | None, limit: int) -> Balances:
    """A page of what `ask` gives; one that is full may have another behind it."""
    items = ask(after=after, limit=limit)
    return Balances(items=items, next_after=str(items[-1].account_id) if len(items) == limit else None)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Items in the order of their ids. `next_after` is the `after` of the next page; `None` on the last."""

    items: list[Item]
    next_after: str | None


def cut(items: Mapping[Any, Any], *, after: str | None, limit: int) -> tuple[list[Any], str | None]:
    """The values whose keys come after `after`, at most `limit`, and where the next page begins."""
    size = max(1, min(limit, PAGE_ROWS_MAX))
    names = ((str(key), key) for key in items)
    wanted = nsmallest(size + 1, (one for one in names if after is None or one[0] > after))
    shown = wanted[:size]
    return [items[key] for _, key in shown], shown[-1][0] if len(wanted) > size else None


def account_items(accounts: Iterable[Account], names: Mapping[UUID, str]) -> list[Item]:
    return [
        {
            "account_id": one.account_id,
            "name": names.get(one.account_id),
            "status": one.status,
            "limits": one.limits,
            "erased": one.erased,
        }
        for one in accounts
    ]


def key_items(keys: Iterable[ApiKey], names: Mapping[UUID, str]) -> list[Item]:
    return [
        {
            "key_id": one.key_id,
            "account_id": one.account_id,
            "name": names.get(one.key_id),
            "secrets": [
                {"prefix": secret.prefix, "valid_until_us": secret.valid_until_us} for secret in one.secrets
            ],
            "limits": one.limits,
            "expires_us": one.expires_us,
            "revoked": one.revoked,
        }
        for one in keys
    ]


def management_key_items(keys: Iterable[ManagementKey], names: Mapping[UUID, str]) -> list[Item]:
    return [
        {
            "key_id": one.key_id,
            "account_id": one.account_id,
            "name": names.get(one.key_id),
            "role": one.role,
            "secrets": [
                {"prefix": secret.prefix, "valid_until_us": secret.valid_until_us} for secret in one.secrets
            ],
            "person_id": one.person_id,
            "issued_us": one.issued_us,
            "expires_us": one.expires_us,
            "revoked": one.revoked,
        }
        for one in keys
    ]


def operator_items(operators: Iterable[Operator], names: Mapping[UUID, str]) -> list[Item]:
    return [
        {
            "operator_id": one.operator_id,
            "name": names.get(one.operator_id),
            "role": one.role,
            "disabled": one.disabled,
        }
        for one in operators
    ]


def names_of(ports: Ports, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Blocking."""
    return ports.names.get(subject_ids) if subject_ids else {}


def found(items: Mapping[UUID, Any], wanted: UUID, *, kind: str) -> Any:
    """The item, or `NotFound`."""
    try:
        return items[wanted]
    except KeyError:
        raise NotFound(kind, wanted) from None
