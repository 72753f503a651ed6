"""An API described: the OpenAPI document, and a page to read and try it, with every file of it served by us.

Open to everybody, since it tells nothing that the source code does not; whoever tries a route needs a token.
"""

from pathlib import Path
from typing import Any, Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

ASSETS: Final = Path(__file__).parent / "assets"
_TYPES: Final = {"docs.css": "text/css", "rapidoc-min.js": "text/javascript"}
_HEADERS: Final = {
    # The viewer brings its styles within its elements, so those may be inline; scripts may not.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def docs_routes(description: dict[str, Any], *, prefix: str) -> list[HTTPRouteHandler]:
    """`/docs`, its files, and the document that it shows, all below `prefix`."""

    @get("/docs", sync_to_thread=True)
    def read_docs() -> Response[bytes]:
        page = (ASSETS / "docs.html").read_text(encoding="utf-8")
        page = page.replace("{prefix}", prefix).replace("{title}", description["info"]["title"])
        return Response(page.encode(), media_type="text/html", headers=_HEADERS)

    @get("/docs/assets/{name:str}", sync_to_thread=True)
    def read_asset(name: FromPath[str]) -> Response[bytes]:
        if name not in _TYPES:
            raise NotFoundException("there is no such file")
        return Response((ASSETS / name).read_bytes(), media_type=_TYPES[name], headers=_HEADERS)

    @get("/schema/openapi.json")
    async def read_schema() -> dict[str, Any]:
        return description

    return [read_docs, read_asset, read_schema]
