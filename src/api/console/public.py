"""What anybody may see: what this installation is, what its models cost, and whether they can be asked at the moment."""

import asyncio
from typing import Any, Final, Literal

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from api.console.access import NEEDS, Needs, visit_of
from api.console.looking import ModelRow, charged, chat_names, offered_models
from api.console.pages import Pages
from api.console.provider_states import deployment_state
from application.announcements.notices import notices
from domain.refusal import NotFound

Asked = Request[Any, Any, Any]
Availability = Literal["well", "impaired", "down"]
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_SHOWN: Final = 6
_KEPT_US: Final = 10 * 1_000_000
"""How long the gateway's word is believed, however many ask."""


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A model, and whether it can be asked."""

    name: str
    state: Availability


class Board:
    """How everything is. What the log says of deployments is at hand; a gateway is asked now and then."""

    def __init__(self, pages: Pages) -> None:
        self._pages, self._tools = pages, pages.tools
        self._lock = asyncio.Lock()
        self._asked_us = 0
        self._is_ready: bool | None = None

    async def gateway(self) -> bool | None:
        """Whether requests are taken; none if nobody has said where."""
        if self._tools.chat is None:
            return None
        async with self._lock:
            now_us = self._tools.admin.ports.clock.now_us()
            if now_us - self._asked_us >= _KEPT_US:
                self._is_ready = await self._tools.chat.is_ready()
                self._asked_us = now_us
        return self._is_ready

    def models(self) -> list[ModelStatus]:
        now_us = self._tools.admin.ports.clock.now_us()
        rows = offered_models(self._tools.admin.directory, now_us)
        return [ModelStatus(name=row.name, state=self._state(row)) for row in rows]

    def _state(self, row: ModelRow) -> Availability:
        directory = self._tools.admin.directory
        alias = row.alias if row.alias.targets else directory.aliases[row.alias.points_to or ""]
        targets = [directory.deployments[one.deployment_id] for one in alias.targets]
        states = [deployment_state(self._pages, one) == "well" for one in targets]
        if all(states):
            return "well"
        return "impaired" if any(states) else "down"


def public_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/`, `/models`, `/status`."""
    tools, board = pages.tools, Board(pages)

    def require_open() -> None:
        if not tools.is_public:
            raise NotFound("page")

    @get("/", opt=_ANYBODY)
    async def home(request: Asked) -> Response[str]:
        """To where this person works; the first page for who is nobody yet."""
        visit = visit_of(request)
        if visit.session is None or visit.person is None or visit.session.stage != "full":
            if not tools.is_public:
                return pages.see("/sign-in")
            rows = offered_models(tools.admin.directory, tools.admin.ports.clock.now_us())
            return pages.page(
                request,
                "public/landing.html",
                rows=rows[:_SHOWN],
                count=len(rows),
                model=(chat_names(tools.admin.directory, tools.admin.ports.clock.now_us()) or ["model"])[0],
                api_url=tools.api_url or "https://api.example.com",
            )
        if visit.role is not None:
            return pages.see("/console")
        accounts = sorted(tools.admin.directory.memberships.get(visit.person_id, ()))
        return pages.see(f"/app/{accounts[0]}" if accounts else "/me")

    @get("/models", opt=_ANYBODY)
    async def show_models(request: Asked) -> Response[str]:
        require_open()
        rows = offered_models(tools.admin.directory, tools.admin.ports.clock.now_us())
        return pages.page(request, "public/models.html", tables={"models": charged(rows)}, rows=rows)

    @get("/status", opt=_ANYBODY)
    async def show_status(request: Asked) -> Response[str]:
        require_open()
        visit, now_us = visit_of(request), tools.admin.ports.clock.now_us()
        models, is_ready = board.models(), await board.gateway()
        told = notices(
            tools.admin.directory.announcements, account_id=None, language=visit.language, now_us=now_us
        )
        return pages.page(
            request,
            "public/status.html",
            models=models,
            gateway=is_ready,
            overall=_overall(models, is_ready=is_ready),
            is_some_down=any(one.state == "down" for one in models),
            told=told,
        )

    return [home, show_models, show_status]


def _overall(models: list[ModelStatus], *, is_ready: bool | None) -> Availability:
    if is_ready is False or (models and all(one.state == "down" for one in models)):
        return "down"
    return "well" if all(one.state == "well" for one in models) else "impaired"
