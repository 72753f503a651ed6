"""Does what a form commands: by the API's own table and execution, so a rule and its refusal exist once.

A form holds a number of its own, which is its idempotency key: sent twice, it is done once, and shows the same answer.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response
from litestar.datastructures import FormMultiDict

from api.admin.codes import BadRequest, code_of
from api.admin.commands import COMMANDS
from api.admin.execution import run
from api.admin.tables.entry import Entry
from api.console.access import local_path, visit_of
from api.console.forms import body_of
from api.console.headers import HEADERS
from api.console.looking import chat_names
from api.console.pages import ONCE_FIELD, Flash, Pages
from api.console.shown_again import shown_again
from api.console.texts import RESULTS
from application.eventlog import EventLogError
from application.vault import VaultError
from domain.fact import Actor
from domain.refusal import Refusal

ENTRIES: Final = {(entry.noun, entry.verb): entry for entry in COMMANDS}
_SHOWN_ONCE: Final = ("secret", "token", "link", "codes")
_REFUSED: Final = 422
_DONE: Final = {
    ("code", "redeem"): "code_redeemed",
    ("endpoint", "ping"): "pinged",
    ("endpoint", "replay"): "replayed",
}


async def act(
    pages: Pages,
    request: Request[Any, Any, Any],
    entry: Entry,
    *,
    actor: Actor,
    fixed: dict[str, Any] | None = None,
    only: frozenset[str] | None = None,
    find: Callable[[FormMultiDict], FormMultiDict] | None = None,
    home: str,
) -> Response[str]:
    """Do it and go back to where the form was; `fixed` fields are not the form's to say, and with `only` no others are.

    `find`, which may block, puts ids where the form has names.
    """
    form, visit = await request.form(), visit_of(request)
    back = local_path(str(form.get("back", "")), default=home)
    try:
        form = form if find is None else await asyncio.to_thread(find, form)
        body = body_of(entry.command, form, zone=ZoneInfo(visit.zone), only=only) | (fixed or {})
        answer = await asyncio.to_thread(
            run,
            entry,
            msgspec.json.encode(body),
            key=str(form.get(ONCE_FIELD, "")) or None,
            actor=actor,
            ports=pages.tools.admin.ports,
            idempotency=pages.tools.admin.idempotency,
        )
    except (Refusal, BadRequest, EventLogError, VaultError) as error:
        return await refused_by(pages, request, error, back=back)
    await pages.tools.refresh()
    result = msgspec.json.decode(answer.body)
    shown = next((name for name in _SHOWN_ONCE if name in result), None)
    if shown is not None:
        return _show_once(pages, request, entry, result, name=shown, back=back)
    path = str(form.get("then", "")).replace(
        "{id}", str(result.get(entry.new_id or "", result.get("id", "")))
    )
    return go(pages, request, local_path(path, default=back), _flash(pages, request, entry, result))


async def refused(
    pages: Pages, request: Request[Any, Any, Any], code: str, detail: str, *, back: str
) -> Response[str]:
    """Say no: beside the form where a script can, else in the form on the page that it was on, with what was written."""
    flash = Flash(code, is_good=False, detail=detail)
    said = pages.page(request, "_problem.html", status=_REFUSED, problem=flash)
    if request.headers.get("hx-request") == "true":
        return said
    return await shown_again(request, back=back, problem=said.content) or pages.see(back, flash)


async def refused_by(
    pages: Pages, request: Request[Any, Any, Any], error: Exception, *, back: str
) -> Response[str]:
    """Likewise, with what the error says of a field, in the visitor's words."""
    return await refused(pages, request, code_of(error), pages.detail(visit_of(request), error), back=back)


def turned_back(pages: Pages, error: Exception, *, back: str) -> Response[str]:
    """Instead of a file that there is not: the page, with why."""
    return pages.see(back, Flash(code_of(error), is_good=False))


def go(pages: Pages, request: Request[Any, Any, Any], path: str, flash: Flash) -> Response[str]:
    """After a form that was done: there, with a script too."""
    response = pages.see(path, flash)
    if request.headers.get("hx-request") != "true":
        return response
    return Response(
        "", status_code=200, headers={**HEADERS, "hx-redirect": path}, cookies=list(response.cookies)
    )


def _show_once(
    pages: Pages,
    request: Request[Any, Any, Any],
    entry: Entry,
    result: dict[str, Any],
    *,
    name: str,
    back: str,
) -> Response[str]:
    found = result[name]
    value = "\n".join(found) if isinstance(found, list) else str(found)
    if name == "link":
        value = f"{own_url(pages, request)}{value}"
    models = chat_names(pages.tools.admin.directory, pages.tools.sign_in.clock.now_us())
    response = pages.page(
        request,
        "shown_once.html",
        kind=entry.noun,
        name=name,
        value=value,
        back=back,
        result=result,
        api_url=pages.tools.api_url,
        model=models[0] if models else "",
    )
    if request.headers.get("hx-request") == "true":
        response.headers.update({"hx-retarget": "body", "hx-reswap": "outerHTML"})
    return response


def own_url(pages: Pages, request: Request[Any, Any, Any]) -> str:
    """The console's address: as configured, else as this browser has typed it."""
    if pages.tools.url:
        return pages.tools.url
    parts = urlsplit(str(request.base_url))
    return f"{parts.scheme}://{parts.netloc}"


def _flash(pages: Pages, request: Request[Any, Any, Any], entry: Entry, result: dict[str, Any]) -> Flash:
    """That it is done; of a provider that was asked also what came of it."""
    probes = result.get("probes") or [one for one in (result.get("probe"),) if one]
    if not probes:
        return Flash(_done(entry, result))
    bad = sorted({one["outcome"] for one in probes if not one["works"]})
    if not bad:
        return Flash("probe_ok")
    words = ", ".join(pages.text(visit_of(request), RESULTS[one]) for one in bad)
    code = "probe_failed" if entry.verb == "probe" else "kept_untried"
    return Flash(code, is_good=False, detail=words)


def _done(entry: Entry, result: dict[str, Any]) -> str:
    if (entry.noun, entry.verb) == ("prices", "publish") and result["proposal_id"]:
        return "prices_proposed"
    return _DONE.get((entry.noun, entry.verb), "done")
