"""The models that a customer can ask for, with what they cost."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.pages import Pages

_READ: Final = {NEEDS: Needs("account", "read")}


def model_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/models`."""
    directory, ports = pages.tools.admin.directory, pages.tools.admin.ports

    @get("/app/{account_id:uuid}/models", opt=_READ)
    async def list_models(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        """Those that have a price and that the account may ask for."""
        allowed = directory.accounts[account_id].limits.models
        rows = [
            row
            for row in looking.offered_models(directory, ports.clock.now_us())
            if allowed is None or row.name in allowed
        ]
        return pages.page(
            request, "workspace/models.html", tables={"models": looking.charged(rows)}, rows=rows
        )

    return [list_models]
