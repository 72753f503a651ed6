"""Everything that the console's process runs. It serves no requests of customers' programs: those must never wait for a page."""

import asyncio
from gettext import NullTranslations
from pathlib import Path
from typing import Final, Literal, get_origin

import msgspec

from adapters.eventstore.wakeups import PostgresWakeups
from adapters.gateway_call import GatewayCall
from adapters.people.authenticators import authenticators_of
from adapters.people.identities import PostgresIdentities
from adapters.people.oidc import OidcProvider
from adapters.people.passkeys import PostgresPasskeys
from adapters.playground.gateway import HttpChatGateway
from admin_tools import make_admin_tools
from api.console.assets_routes import asset_version
from api.console.rendering import Renderer
from api.console.tools import ConsoleTools, ShownSetting
from application.clock import SystemClock, SystemIds
from application.directory import Directory
from application.directory_follower import DirectoryFollower
from application.gateway_call import TryCall
from application.i18n.catalogues import load_catalogue
from application.i18n.locales import LOCALES
from application.people.mailed import Mailed
from application.people.oidc import Company
from application.people.passkeys import PasskeyPorts
from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn
from application.routing.health import Health
from bootstrap import Pool, make_people, make_ports, make_receipts, open_pool, open_store, sealed_log
from projections.registry import all_projections
from projections.settling import Settling
from settings import Settings, require

_SETTLE_S: Final = 1.5
_OPEN_TEXTS: Final = frozenset(
    {
        "alipay_way",
        "allow_private_upstreams",
        "allow_private_webhooks",
        "api_url",
        "archive_dir",
        "bank_transfer_to",
        "console_proxies",
        "console_url",
        "exports_dir",
        "mail_dir",
        "mail_from",
        "oidc_issuer",
        "oidc_name",
        "public_url",
        "seal_dir",
        "tokenok_data",
        "tokenok_log_level",
        "tokenok_pg_bin",
    }
)


class ConsoleProcess:
    """Build it anywhere; `start` and `stop` belong to the event loop that serves."""

    def __init__(
        self, settings: Settings, *, people: PeoplePorts | None = None, settle_s: float = _SETTLE_S
    ) -> None:
        """`settle_s`: how long who has commanded something waits for the read models to show it, at most."""
        self.settings = settings
        self.clock, self.ids = SystemClock(), SystemIds()
        self.pool = open_pool(settings, size_max=8)
        self.store = open_store(settings, application_name="tokenok-console", connections_max=4)
        self.ports = make_ports(settings, store=self.store, pool=self.pool, clock=self.clock)
        self.sealed = sealed_log(settings, log=self.store, clock=self.clock)
        self.receipts = make_receipts(settings, store=self.store, pool=self.pool, sealed=self.sealed)
        self.health = Health(instance_id=self.ids.new(), clock=self.clock)
        self.directory = Directory(self.ports.hasher, health=self.health)
        self.follower = DirectoryFollower(
            self.directory, store=self.store, vault=self.ports.vault, clock=self.clock
        )
        self.settling = Settling(
            pool=self.pool, log=self.store, projections=all_projections(), wait_s=settle_s
        )
        self.wakeups = PostgresWakeups(settings.database_url)
        self.people = people or make_people(settings, self.pool)
        self.chat = self._chat()
        self.company = make_company(settings, self.pool)
        self.tools = self._tools({one: load_catalogue("console", one) for one in LOCALES})
        self._tasks: list[asyncio.Task[None]] = []

    def _tools(self, texts: dict[str, NullTranslations]) -> ConsoleTools:
        return ConsoleTools(
            admin=make_admin_tools(self),
            people=self.people,
            sign_in=SignIn(ports=self.people, hasher=self.ports.hasher, clock=self.clock, ids=self.ids),
            health=self.health,
            renderer=Renderer(texts, version=asset_version()),
            refresh=self._refresh,
            settings=shown_settings(self.settings),
            try_call=_gateway_call(self.settings.api_url.rstrip("/")),
            url=self.settings.console_url.rstrip("/"),
            api_url=self.settings.api_url.rstrip("/"),
            mailed=self._mailed(),
            chat=self.chat,
            company=self.company,
            bank_lines=bank_lines(self.settings.bank_transfer_to),
            exports=Path(self.settings.exports_dir) if self.settings.exports_dir else None,
            passkeys=make_passkeys(self.settings, self.pool),
            staff_needs_codes=self.settings.operators_need_second_factor == "on",
            is_public=self.settings.public_pages == "on",
            may_sign_up=self.settings.sign_up == "open",
        )

    async def _refresh(self) -> None:
        await self.follower.catch_up()
        await asyncio.to_thread(self.settling.wait)

    def _chat(self) -> HttpChatGateway | None:
        url = (self.settings.gateway_url or self.settings.api_url).rstrip("/")
        return HttpChatGateway(url) if url else None

    def _mailed(self) -> Mailed | None:
        """None without an address of ours to write into mails: a browser is not believed what it is."""
        url = self.settings.console_url.rstrip("/")
        if not self.ports.mail_on or not url:
            return None
        return Mailed(
            people=self.people,
            outbox=self.ports.outbox,
            hasher=self.ports.hasher,
            clock=self.clock,
            ids=self.ids,
            url=url,
        )

    async def start(self) -> None:
        """Returns when pages can be served.

        Raises:
            LogUnavailable, VaultError: the database cannot be used; the process should end.
        """
        await self.follower.catch_up()
        self.wakeups.subscribe(self._receive)
        self.wakeups.start()
        self._tasks = [asyncio.create_task(self.follower.run())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.wakeups.close()
        if self.chat is not None:
            await self.chat.close()
        await asyncio.to_thread(self._close_connections)

    def _close_connections(self) -> None:
        if self.company is not None:
            self.company.provider.close()
        self.store.close()
        self.pool.close()

    def _receive(self, message: str) -> None:
        if not message.startswith("recall"):
            self.follower.wake()


def shown_settings(settings: Settings) -> tuple[ShownSetting, ...]:
    """By name. Of texts only those are shown that are one of a few words or are listed here: all others may hold a secret."""
    shown = []
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        is_open = not isinstance(value, str) or get_origin(field.type) is Literal or field.name in _OPEN_TEXTS
        shown.append(
            ShownSetting(
                name=field.name.upper(),
                value=str(value) if is_open else None,
                is_set=value != field.default,
            )
        )
    return tuple(sorted(shown, key=lambda one: one.name))


def bank_lines(told: str) -> tuple[str, ...]:
    """What customers read, line by line."""
    return tuple(line for one in told.replace("|", "\n").splitlines() if (line := one.strip()))


def _gateway_call(api_url: str) -> TryCall | None:
    return GatewayCall(api_url) if api_url else None


def make_passkeys(settings: Settings, pool: Pool) -> PasskeyPorts | None:
    """None where browsers have no passkeys for our address."""
    authenticators = authenticators_of(settings.console_url.rstrip("/"))
    return PasskeyPorts(authenticators, PostgresPasskeys(pool)) if authenticators else None


def make_company(settings: Settings, pool: Pool) -> Company | None:
    """The identity provider of operators; none unless it is set up.

    Raises:
        BadSetting: half of its settings are missing.
    """
    if not settings.oidc_issuer:
        return None
    require(settings, "oidc_client_id", "oidc_client_secret", "console_url")
    provider = OidcProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=f"{settings.console_url.rstrip('/')}/sign-in/company/back",
        name=settings.oidc_name,
    )
    return Company(provider, PostgresIdentities(pool))
