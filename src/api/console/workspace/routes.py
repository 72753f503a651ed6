"""Every route of customers."""

from litestar.handlers import HTTPRouteHandler

from api.console.pages import Pages
from api.console.workspace.automatic import automatic_routes
from api.console.workspace.budgets import budget_routes
from api.console.workspace.commands import command_routes
from api.console.workspace.documents import document_routes
from api.console.workspace.keys import key_routes
from api.console.workspace.management import management_routes
from api.console.workspace.models import model_routes
from api.console.workspace.notices import notice_routes
from api.console.workspace.orders import order_routes
from api.console.workspace.overview import overview_routes
from api.console.workspace.people import people_routes
from api.console.workspace.playground import playground_routes
from api.console.workspace.recharging import recharge_routes
from api.console.workspace.settings import settings_routes
from api.console.workspace.spending import spending_routes
from api.console.workspace.webhooks import webhook_routes


def workspace_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """The pages and forms below `/app/<account>`."""
    return [
        *overview_routes(pages),
        *key_routes(pages),
        *management_routes(pages),
        *webhook_routes(pages),
        *model_routes(pages),
        *spending_routes(pages),
        *budget_routes(pages),
        *playground_routes(pages),
        *people_routes(pages),
        *notice_routes(pages),
        *settings_routes(pages),
        *recharge_routes(pages),
        *automatic_routes(pages),
        *order_routes(pages),
        *document_routes(pages),
        *command_routes(pages),
    ]
