"""API keys as pages list them: a page of the read model, each with its name, and with its state of this moment.

Read models lag behind the log; the directory has read what the visitor's own form has just changed. So what a key may, and whether it
works, is the directory's, and which keys there are and what they were used for is the read model's.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec.structs import replace

from api.admin.keys import NamedKey, named_keys
from api.admin.tools import AdminTools
from api.console import looking
from application.directory import Directory
from application.keys.queries import KeyFilter, KeyPage, KeyRow, KeyState, ShownSecret
from domain.keys.key import ApiKey
from domain.refusal import NotFound


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of keys, and where the next one begins."""

    rows: tuple[NamedKey, ...]
    next_after: UUID | None


class KeyPick(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody meant who wrote a key into a filter: one key, or those among which they have to choose."""

    key: NamedKey | None = None
    choices: tuple[NamedKey, ...] = ()


def list_keys(
    tools: AdminTools,
    q: str = "",
    *,
    account_id: UUID | None = None,
    state: KeyState | None = None,
    after: UUID | None = None,
    limit: int = looking.PAGE_ROWS,
) -> KeyList:
    """Newest first: all of them, or what was searched for. Without an account of all accounts. Blocking."""
    wanted = KeyFilter(account_id=account_id, state=state)
    page = _found(tools, q.strip(), wanted, after=after, limit=limit)
    return KeyList(rows=_present(tools, page.items), next_after=page.next_after)


def one_key(tools: AdminTools, key_id: UUID, *, account_id: UUID | None = None) -> NamedKey:
    """A key, also if it was made a moment ago. Blocking.

    Raises:
        NotFound: there is none, or not of this account.
    """
    key = tools.directory.keys.get(key_id)
    if key is None or account_id not in {None, key.account_id}:
        raise NotFound("API key", key_id)
    row = tools.keys.key(key_id, now_us=tools.ports.clock.now_us())
    return _present(tools, [row or _unused(key)])[0]


def pick_key(tools: AdminTools, text: str, *, account_id: UUID | None) -> KeyPick:
    """Of an account, or of any: by id, the beginning of its secret or its name. Blocking."""
    if not text.strip():
        return KeyPick()
    found = list_keys(tools, text, account_id=account_id, limit=looking.CHOICES).rows
    exact = [one for one in found if one.name == text.strip()]
    key = next(iter(exact if len(exact) == 1 else found if len(found) == 1 else ()), None)
    return KeyPick(key=key, choices=() if key else found)


def newest_keys(tools: AdminTools, account_id: UUID) -> tuple[NamedKey, ...]:
    """For a field with choices: the newest that work. Blocking."""
    found = list_keys(tools, account_id=account_id, state="active", limit=looking.CHOICES).rows
    return tuple(one for one in found if one.state == "active")


def _found(tools: AdminTools, q: str, wanted: KeyFilter, *, after: UUID | None, limit: int) -> KeyPage:
    """By id, its own or its account's; else by how the secret begins; else by name."""

    def page(**more: object) -> KeyPage:
        return tools.keys.keys(
            replace(wanted, **more),
            now_us=tools.ports.clock.now_us(),
            after=after,
            limit=limit,
            newest_first=True,
        )

    if not q:
        return page()
    wanted_id = looking.uuid_of(q)
    if wanted_id is not None:
        return _by_id(tools, wanted_id, wanted.account_id) or page(account_id=wanted.account_id or wanted_id)
    begun = page(begins=q)
    return begun if begun.items else page(named=q)


def _by_id(tools: AdminTools, key_id: UUID, account_id: UUID | None) -> KeyPage | None:
    """None if it may be the id of an account."""
    row = tools.keys.key(key_id, now_us=tools.ports.clock.now_us())
    if row is not None and account_id in {None, row.account_id}:
        return KeyPage(items=(row,), next_after=None)
    return KeyPage(items=(), next_after=None) if account_id is not None else None


def _present(tools: AdminTools, rows: Sequence[KeyRow]) -> tuple[NamedKey, ...]:
    now_us = tools.ports.clock.now_us()
    return named_keys(tools.ports, [_as_now(tools.directory, one, now_us) for one in rows])


def _as_now(directory: Directory, row: KeyRow, now_us: int) -> KeyRow:
    """With what the directory knows of it already."""
    key = directory.keys.get(row.key_id)
    if key is None:
        return row
    return replace(
        row,
        state=looking.key_state(key, now_us),
        secrets=tuple(
            ShownSecret(prefix=one.prefix, valid_until_us=one.valid_until_us) for one in key.secrets
        ),
        limits=key.limits,
        expires_us=key.expires_us,
        revoked=key.revoked,
    )


def _unused(key: ApiKey) -> KeyRow:
    """One that the read model does not know yet."""
    return KeyRow(
        key_id=key.key_id,
        account_id=key.account_id,
        state="active",
        secrets=(),
        limits=key.limits,
        budgets=(),
        expires_us=key.expires_us,
        revoked=key.revoked,
        imported=False,
        created_us=looking.made_us(key.key_id),
        rotated_us=None,
        revoked_us=None,
        revoked_because=None,
        last_used_us=None,
        charges=0,
        charged_nano=0,
    )
