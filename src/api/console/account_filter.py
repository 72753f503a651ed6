"""Operators type an account's name where an id is wanted. In a list's filter one that fits is put in its place, of several they
choose. In a form that does something only the whole name of one account will do.

Lists know ids only. Whatever has `account` in its address gets one, or nothing at all. The field shows the name of the id that
it has, and sends that id along: of several accounts with one name it stays the one that was chosen.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import FormMultiDict

from api.admin.tools import AdminTools
from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.pages import SHOWN_NAME, Pages
from api.console.unreadable import Unreadable

_FIELD: Final = "account"
_SHOWN: Final = "account_shown"
_TARGET: Final = "account_id"
_TARGETS: Final = "account_ids"
_NAME_CHARS_MAX: Final = 200

Asked = Request[Any, Any, Any]
Found = list[tuple[UUID, str]]
"""Accounts and their names, by name."""


def make_account_filter(pages: Pages) -> Callable[[Asked], Awaitable[Response[Any] | None]]:
    """Goes before every page of operators; a function, since the framework copies what it is given."""

    async def look_up(request: Asked) -> Response[Any] | None:
        """Where to go instead, or a page to choose on; None where there is nothing to look up."""
        wanted = request.query_params.get(_FIELD, "").strip()[:_NAME_CHARS_MAX]
        needs: Needs | None = request.scope["route_handler"].opt.get(NEEDS)
        if not wanted or needs is None or needs.area != "staff":
            return None
        if (asked := looking.uuid_of(wanted)) is not None:
            request.state[SHOWN_NAME] = await asyncio.to_thread(_name, pages.tools.admin, asked)
            return None
        shown = looking.uuid_of(request.query_params.get(_SHOWN))
        found = await asyncio.to_thread(_accounts, pages.tools.admin, wanted, shown)
        if len(found) == 1:
            return pages.see(_with(request, found[0][0]))
        choices = [(_with(request, one), one, name) for one, name in found[: looking.CHOICES]]
        return pages.page(
            request,
            "admin/which_account.html",
            wanted=wanted,
            choices=choices,
            more=len(found) - len(choices),
            all_rows=_with(request, None),
        )

    return look_up


def with_account(admin: AdminTools, form: FormMultiDict) -> FormMultiDict:
    """A form with the ids of the accounts that it names; several have commas between them. Blocking.

    Raises:
        Unreadable: no account is called so, or more than one.
    """
    shown = looking.uuid_of(str(form.get(_SHOWN, "")))
    parts = {_TARGET: [str(form.get(_TARGET, ""))], _TARGETS: str(form.get(_TARGETS, "")).split(",")}
    ids = {field: _ids(admin, names, shown) for field, names in parts.items() if field in form}
    return FormMultiDict([*((k, v) for k, v in form.multi_items() if k not in ids), *ids.items()])


def _ids(admin: AdminTools, names: list[str], shown: UUID | None) -> str:
    """What is an id, or several with blanks between them, stays one."""
    given = [name for one in names if (name := one.strip())]
    return ", ".join(
        one if all(map(looking.uuid_of, one.split())) else str(account_of(admin, one, shown)) for one in given
    )


def account_of(admin: AdminTools, name: str, shown: UUID | None = None) -> UUID:
    """The account of exactly this name; of several the one that was shown by it. Blocking.

    Raises:
        Unreadable: there is none, or there are several.
    """
    found = [one for one, known in _accounts(admin, name, shown) if known.casefold() == name.casefold()]
    if not found:
        raise Unreadable("account_id", "is the name of no account")
    if len(found) > 1:
        raise Unreadable("account_id", "is the name of several accounts")
    return found[0]


def _name(admin: AdminTools, account_id: UUID) -> str:
    """Empty where there is none. Blocking."""
    return names_of(admin.ports, [account_id]).get(account_id, "")


def _accounts(admin: AdminTools, wanted: str, shown: UUID | None) -> Found:
    """The one that was shown by this name, else those of exactly this name, else those whose names begin so, else those that
    hold it. Blocking.
    """
    if shown is not None and _name(admin, shown) == wanted:
        return [(shown, wanted)]
    ids = looking.named_like(admin.ports, dict(admin.directory.accounts), wanted)
    named = names_of(admin.ports, sorted(ids))
    found = sorted(((one, named.get(one, "")) for one in ids), key=lambda pair: (pair[1].casefold(), pair[0]))
    text = wanted.casefold()
    exact = [pair for pair in found if pair[1].casefold() == text]
    return exact or [pair for pair in found if pair[1].casefold().startswith(text)] or found


def _with(request: Asked, account_id: UUID | None) -> str:
    """The address that was asked for, with this account, or with none."""
    fields = [(name, text) for name, text in request.query_params.items() if name not in {_FIELD, _SHOWN}]
    if account_id is not None:
        fields.append((_FIELD, str(account_id)))
    path: str = request.scope["path"]
    return f"{path}?{urlencode(fields)}" if fields else path
