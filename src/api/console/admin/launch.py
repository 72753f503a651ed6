"""From nothing to the first request: what is there and what is missing, read off the facts, so it can be left at any time."""

import asyncio
from collections.abc import Iterable, Mapping
from heapq import nlargest
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.acting import refused_by
from api.console.pages import Pages
from api.console.unreadable import Unreadable
from application.catalogue.list_presets import list_presets, summary_of
from application.directory import Directory
from application.directory_views import price_at
from application.gateway_call import CallTried
from application.queries import RequestFilter
from domain.accounts import Account
from domain.catalogue.provider import Provider
from domain.health.probe import ProbesSummarised, probes_stream
from domain.keys.key import ApiKey
from domain.secret import Secret
from domain.topics import REGISTRY

_READ: Final = {NEEDS: Needs("staff", "read")}
_ACT: Final = {NEEDS: Needs("staff", "keys")}
_CHOICES: Final = 200
STEPS: Final = (
    "provider",
    "credential",
    "probe",
    "model",
    "prices",
    "route",
    "customer",
    "credit",
    "key",
    "call",
)


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is: the steps that are done, and what the forms of the next ones choose from."""

    done: frozenset[str]
    unpriced: tuple[str, ...]
    unrouted: tuple[str, ...]  #: with a price, and nothing that serves them
    models: tuple[str, ...]
    chat_models: tuple[str, ...]  #: those of the models that a chat can be had with, for a test call
    accounts: tuple[Account, ...]
    funded: tuple[Account, ...]

    @property
    def next(self) -> str | None:
        """The first step that is missing."""
        return next((one for one in STEPS if one not in self.done), None)


def launch_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/launch`."""

    async def show(
        request: Request[Any, Any, Any], *, tried: CallTried | None = None, model: str = ""
    ) -> Response[str]:
        found, presets, names = await asyncio.to_thread(
            _look, pages, has_answered=tried is not None and tried.works
        )
        directory = pages.tools.admin.directory
        return pages.page(
            request,
            "admin/launch.html",
            launch=found,
            steps=STEPS,
            presets=presets,
            names=names,
            providers=sorted(
                (one for one in directory.providers.values() if not one.disabled), key=lambda one: one.name
            ),
            choices=[
                (
                    one.deployment_id,
                    f"{directory.providers[one.provider_id].name} / {one.spec.upstream_model}",
                )
                for one in directory.deployments.values()
                if not one.disabled
            ],
            bare=_bare(directory),
            account_pairs=_account_pairs,
            api_url=pages.tools.api_url,
            needs_approval=pages.tools.admin.ports.prices_need_approval,
            can_call=pages.tools.try_call is not None,
            tried=tried,
            model=model,
        )

    @get("/console/launch", opt=_READ)
    async def show_launch(request: Request[Any, Any, Any]) -> Response[str]:
        return await show(request)

    @post("/console/launch/call", opt=_ACT)
    async def try_call(request: Request[Any, Any, Any]) -> Response[str]:
        """With the key that somebody pastes; it is kept nowhere."""
        form = await request.form()
        secret, model = str(form.get("secret", "")).strip(), str(form.get("model", "")).strip()
        call = pages.tools.try_call
        if call is None or not secret or not model:
            missing = Unreadable("model" if secret else "secret", "is missing")
            return await refused_by(pages, request, missing, back="/console/launch")
        tried = await asyncio.to_thread(call, Secret(secret), model)
        await pages.tools.refresh()
        return await show(request, tried=tried, model=model)

    return [show_launch, try_call]


def _look(pages: Pages, *, has_answered: bool) -> tuple[Launch, list[Any], dict[UUID, str]]:
    """`has_answered`: a request was answered just now, which the read models need not know yet. Blocking."""
    tools = pages.tools.admin
    accounts = tuple(one for one in list(tools.directory.accounts.values()) if one.status == "open")
    newest = nlargest(_CHOICES, accounts, key=lambda one: one.account_id.int)
    presets = looking.presets_by_name([summary_of(one) for one in list_presets()])
    found = _launch(pages, accounts, tuple(newest), has_answered=has_answered)
    ids = [one.account_id for one in newest]
    return found, presets, tools.ports.names.get(ids) if ids else {}


def _launch(
    pages: Pages, accounts: tuple[Account, ...], newest: tuple[Account, ...], *, has_answered: bool
) -> Launch:
    tools = pages.tools.admin
    directory, now_us = tools.directory, tools.ports.clock.now_us()
    called = has_answered or bool(tools.requests.requests(RequestFilter(state="charged"), limit=1).requests)
    balances = tools.balances.balances_of([one.account_id for one in newest])
    funded = tuple(
        one for one in newest if one.account_id in balances and balances[one.account_id].available_nano > 0
    )
    usable = directory.deployments_in_use()
    has_key = any(
        _works(one, now_us) and directory.accounts[one.account_id].status == "open"
        for one in list(directory.keys.values())
    )
    served = [name for name in directory.aliases if _serves(directory.alias(name))]
    unpriced = tuple(
        sorted(name for name in served if price_at(directory.prices.get(name, ()), now_us) is None)
    )
    models = tuple(one.id for one in directory.models(now_us=now_us))
    facts = {
        "provider": any(not one.disabled for one in directory.providers.values()),
        "credential": bool(usable) or _has_credential(pages),
        "probe": called or any(_answered(pages, one) for one in directory.providers),
        "model": bool(usable),
        "prices": bool(directory.prices),
        "route": bool(models),
        "customer": bool(accounts),
        "credit": bool(funded),
        "key": has_key,
        "call": called,
    }
    return Launch(
        done=frozenset(name for name, is_done in facts.items() if is_done),
        unpriced=unpriced,
        unrouted=tuple(sorted(name for name in directory.prices if name not in served)),
        models=models,
        chat_models=tuple(one for one in models if looking.serves_chats(directory, one)),
        accounts=newest,
        funded=funded,
    )


def _account_pairs(accounts: Iterable[Account], names: Mapping[UUID, str]) -> list[tuple[UUID, str]]:
    """For a field with choices: by name, or by id where there is none."""
    return [(one.account_id, names.get(one.account_id) or str(one.account_id)) for one in accounts]


def _bare(directory: Directory) -> list[tuple[Provider, list[tuple[UUID, str]]]]:
    """Providers without a model, with what a model there can be called by."""
    with_models = {one.provider_id for one in directory.deployments.values()}
    credentials = list(directory.credentials.values())
    return [
        (
            one,
            looking.credential_choices(each for each in credentials if each.provider_id == one.provider_id),
        )
        for one in sorted(directory.providers.values(), key=lambda one: one.name)
        if not one.disabled and one.provider_id not in with_models
    ]


def _works(key: ApiKey, now_us: int) -> bool:
    return looking.key_state(key, now_us) == "active"


def _serves(route: Any) -> bool:
    return route is not None and bool(route.deployments)


def _has_credential(pages: Pages) -> bool:
    """One that the provider has not refused."""
    directory, health = pages.tools.admin.directory, pages.tools.health
    return any(
        not one.revoked
        and not directory.needs_reentry(one)
        and not health.is_dead(one.credential_id, one.secret_version)
        for one in directory.credentials.values()
    )


def _answered(pages: Pages, provider_id: UUID) -> bool:
    """Whether the newest probes of a provider found it well. Blocking."""
    stored = pages.tools.admin.ports.store.read_stream(probes_stream(provider_id))
    if not stored:
        return False
    newest = REGISTRY.decode(stored[-1].topic, stored[-1].state)
    return isinstance(newest, ProbesSummarised) and newest.outcomes.get("ok", 0) > 0
