"""What the console works with."""

from collections.abc import Awaitable, Callable

import msgspec

from api.admin.tools import AdminTools
from api.console.rendering import Renderer
from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn
from application.routing.health import Health


class ConsoleTools(msgspec.Struct, frozen=True, kw_only=True):
    """`admin` is what the API for operators works with too; `refresh` reads on to what was just recorded.

    `url` is the console's address without a slash at its end; empty if nobody has said it.
    `api_url` is where customers' programs send requests, if it is known.
    """

    admin: AdminTools
    people: PeoplePorts
    sign_in: SignIn
    health: Health
    renderer: Renderer
    refresh: Callable[[], Awaitable[None]]
    url: str = ""
    api_url: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by HTTPS, so that cookies may say so."""
        return self.url.startswith("https://")
