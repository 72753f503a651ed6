"""The GET routes of API keys."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS, names_of
from application.command import Ports
from application.keys.queries import KeyFilter, KeyRow, KeyState
from domain.refusal import NotFound

_READ: Final = {PERMISSION: "read"}


class NamedKey(KeyRow, frozen=True, kw_only=True):
    """An API key with the name that it was given."""

    name: str | None


class NamedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """API keys by id."""

    items: tuple[NamedKey, ...]
    next_after: UUID | None


def named_keys(ports: Ports, rows: Sequence[KeyRow]) -> tuple[NamedKey, ...]:
    """Blocking."""
    names = names_of(ports, [one.key_id for one in rows])
    return tuple(NamedKey(**msgspec.structs.asdict(one), name=names.get(one.key_id)) for one in rows)


def key_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """API keys, as the read model has them."""

    @get("/keys", opt=_READ, sync_to_thread=True)
    def list_keys(
        account_id: FromQuery[UUID | None] = None,
        key_state: Annotated[KeyState | None, QueryParameter(name="state")] = None,
        prefix: FromQuery[str | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> NamedKeys:
        """With their budgets, when they were last used, and what was charged through them. No secret is shown."""
        wanted = KeyFilter(account_id=account_id, state=key_state, prefix=prefix)
        page = tools.keys.keys(wanted, now_us=tools.ports.clock.now_us(), after=after, limit=limit)
        return NamedKeys(items=named_keys(tools.ports, page.items), next_after=page.next_after)

    @get("/keys/{key_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_key(key_id: FromPath[UUID]) -> NamedKey:
        """One API key."""
        key = tools.keys.key(key_id, now_us=tools.ports.clock.now_us())
        if key is None:
            raise NotFound("API key", key_id)
        return named_keys(tools.ports, [key])[0]

    return [list_keys, read_key]
