"""What the console works with."""

from collections.abc import Awaitable, Callable

import msgspec

from api.admin.tools import AdminTools
from api.console.rendering import Renderer
from application.gateway_call import TryCall
from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn
from application.routing.health import Health


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the process by the name of its variable. `value` is none where it must not be shown."""

    name: str
    value: str | None
    is_set: bool  #: it differs from its default


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
    try_call: TryCall | None = None  #: none where the address for programs is not known
    settings: tuple[ShownSetting, ...] = ()
    url: str = ""
    api_url: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by HTTPS, so that cookies may say so."""
        return self.url.startswith("https://")
