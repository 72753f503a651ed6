"""Styles, scripts and icon, all of them ours to serve: no page loads anything from another host."""

import hashlib
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console.access import NEEDS, Needs

ASSETS: Final = Path(__file__).parent / "assets"
TYPES: Final = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "passkeys.js": "text/javascript",
    "playground.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_HEADERS: Final = {
    # The address changes with the content.
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'",
}


def asset_version() -> str:
    """Of all of them together."""
    digest = hashlib.sha256(b"".join((ASSETS / name).read_bytes() for name in sorted(TYPES)))
    return digest.hexdigest()[:12]


def asset_routes() -> list[HTTPRouteHandler]:
    """`/assets/<version>/<name>`."""
    files = {name: (ASSETS / name).read_bytes() for name in TYPES}

    @get("/assets/{version:str}/{name:str}", opt={NEEDS: Needs("anybody")})
    async def read_asset(version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        if name not in files or not version:
            raise NotFoundException("there is no such file")
        return Response(files[name], media_type=TYPES[name], headers=_HEADERS)

    return [read_asset]
