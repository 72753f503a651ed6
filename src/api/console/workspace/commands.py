"""What members may command: some of the operators' commands, about their own account and with fewer fields."""

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.acting import ENTRIES, act
from api.console.pages import Pages
from domain.members import MemberPermission
from domain.refusal import NotFound


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `fields` are those that a form may fill in; `of_key`: it is about a key, which must be the account's."""

    noun: str
    verb: str
    permission: MemberPermission
    fields: frozenset[str]
    of_key: bool = False


_LIMITS: Final = frozenset({"rpm", "tpm", "concurrency", "models"})
ALLOWED: Final = (
    Allowed(
        noun="key",
        verb="issue",
        permission="keys",
        fields=_LIMITS | {"name", "expires_us"},
    ),
    Allowed(noun="key", verb="limit", permission="keys", fields=_LIMITS | {"key_id"}, of_key=True),
    Allowed(
        noun="key", verb="rotate", permission="keys", fields=frozenset({"key_id", "overlap_s"}), of_key=True
    ),
    Allowed(
        noun="key", verb="revoke", permission="keys", fields=frozenset({"key_id", "reason"}), of_key=True
    ),
    Allowed(noun="member", verb="invite", permission="members", fields=frozenset({"role"})),
    Allowed(noun="member", verb="withdraw", permission="members", fields=frozenset({"invitation_id"})),
    Allowed(noun="member", verb="change", permission="members", fields=frozenset({"person_id", "role"})),
    Allowed(noun="member", verb="remove", permission="members", fields=frozenset({"person_id"})),
)


def command_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/do/<nouns>/<verb>`."""
    return [_form(pages, allowed) for allowed in ALLOWED]


def _form(pages: Pages, allowed: Allowed) -> HTTPRouteHandler:
    entry = ENTRIES[allowed.noun, allowed.verb]

    @post(
        f"/app/{{account_id:uuid}}/do{entry.path}",
        opt={NEEDS: Needs("account", allowed.permission)},
        name=f"app_{allowed.noun}_{allowed.verb}",
    )
    async def form(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        fixed: dict[str, Any] = {}
        if allowed.of_key:
            fixed["key_id"] = await _own_key(pages, request, account_id)
        else:
            fixed["account_id"] = account_id
        home = f"/app/{account_id}/{allowed.noun}s"
        actor = visit_of(request).member
        return await act(pages, request, entry, actor=actor, fixed=fixed, only=allowed.fields, home=home)

    return form


async def _own_key(pages: Pages, request: Request[Any, Any, Any], account_id: UUID) -> UUID:
    """The key that a form names, if it is the account's; otherwise as if there were none."""
    key_id = looking.uuid_of(str((await request.form()).get("key_id", "")))
    key = None if key_id is None else pages.tools.admin.directory.keys.get(key_id)
    if key is None or key.account_id != account_id:
        raise NotFound("API key")
    return key.key_id
