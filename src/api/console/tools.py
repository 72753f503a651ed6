"""What the console works with."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from api.admin.tools import AdminTools
from api.console.rendering import Renderer
from application.gateway_call import TryCall
from application.people.mailed import Mailed
from application.people.oidc import Company
from application.people.passkeys import PasskeyPorts
from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn
from application.playground.ports import ChatGateway
from application.routing.health import Health


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the process by the name of its variable. `value` is none where it must not be shown."""

    name: str
    value: str | None
    is_set: bool  #: it differs from its default


class ConsoleTools(msgspec.Struct, frozen=True, kw_only=True):
    """`admin` is what the API for operators works with too; `refresh` reads on to what was just recorded.

    `url` is the console's address without a slash at its end; empty if nobody has said it.
    `api_url` is where customers' programs send requests, if it is known. `mailed` is none where no mails are sent,
    or where nobody has said what to write into them as our address. `chat` is a gateway, if it is known where one is.
    `company` signs operators in, if there is such a provider. `is_public`: whether who is not signed in sees more than the sign-in.
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
    mailed: Mailed | None = None
    may_sign_up: bool = True
    is_public: bool = True
    staff_needs_codes: bool = False  #: whether operators see their console only with a second factor
    chat: ChatGateway | None = None
    company: Company | None = None
    bank_lines: tuple[str, ...] = ()  #: where customers transfer money to, as they read it
    exports: Path | None = None  #: where workers leave what operators have exported
    passkeys: PasskeyPorts | None = None  #: none where browsers have no passkeys for our address

    @property
    def sign_up_open(self) -> bool:
        """Whether somebody can open an account by themselves."""
        return self.may_sign_up and self.mailed is not None

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by HTTPS, so that cookies may say so."""
        return self.url.startswith("https://")
