"""Every route of customers."""

from litestar.handlers import HTTPRouteHandler

from api.console.pages import Pages
from api.console.workspace.commands import command_routes
from api.console.workspace.keys import key_routes
from api.console.workspace.overview import overview_routes
from api.console.workspace.spending import spending_routes


def workspace_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """The pages and forms below `/app/<account>`."""
    return [
        *overview_routes(pages),
        *key_routes(pages),
        *spending_routes(pages),
        *command_routes(pages),
    ]
