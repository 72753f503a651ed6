"""A form that was refused is shown again on its page, with what was written in it and what was wrong: for who has no script, which would have said so
beside the form and kept it.
"""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from litestar import Request, Response

from api.console.headers import HEADERS
from api.console.own_forms import fields_of, page_before
from api.console.refilling import refilled

_REFUSED: Final = 422
_OK: Final = 200
_SCOPE: Final = ("type", "asgi", "http_version", "scheme", "root_path", "client", "server")
_NOT_OF_A_FORM: Final = frozenset({b"content-type", b"content-length", b"transfer-encoding"})


async def shown_again(request: Request[Any, Any, Any], *, back: str, problem: str) -> Response[str] | None:
    """The page that the form was on, else the one that it leads back to; None if the form is on neither."""
    action, fields = request.scope["path"], await fields_of(request)
    for path in dict.fromkeys(one for one in (page_before(request), back) if one):
        page = await _page(request, path)
        again = None if page is None else refilled(page, action=action, fields=fields, problem=problem)
        if again is not None:
            return Response(again, status_code=_REFUSED, media_type="text/html", headers=HEADERS)
    return None


async def _page(request: Request[Any, Any, Any], path: str) -> str | None:
    """What the same visitor gets who asks for it; None for what is no page."""
    parts = urlsplit(path)
    scope: Any = {name: request.scope[name] for name in _SCOPE if name in request.scope}
    scope |= {
        "method": "GET",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [one for one in request.scope["headers"] if one[0] not in _NOT_OF_A_FORM],
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await request.app(scope, receive, send)
    status = next((one["status"] for one in sent if one["type"] == "http.response.start"), 0)
    if status != _OK:
        return None
    body: bytes = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return body.decode()
