"""How providers, deployments and credentials stand, in a word each. Nothing is called healthy that nobody has heard of yet."""

from collections.abc import Container, Iterable
from typing import Final
from uuid import UUID

import msgspec

from api.console.pages import Pages
from application.queries import PAGE_ROWS_MAX
from application.reports.calls import CallStats
from application.reports.period import Period
from application.reports.usage import UsageFilter
from domain.catalogue.credential import Credential
from domain.catalogue.deployment import Deployment
from domain.catalogue.provider import Provider
from domain.health.probe import ProbesSummarised, probes_stream
from domain.topics import REGISTRY

_DAY_US: Final = 24 * 3600 * 1_000_000
#: Of a probe: nobody is there. What else comes of one does not say that requests fail: some providers list no models.
_SILENT: Final = frozenset({"unreachable", "timeout"})


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and how its deployments and credentials are. `state` is one of `texts.STATES`."""

    provider: Provider
    state: str
    deployments: int
    tripped: int
    credentials: int
    dead: int


def provider_row(pages: Pages, provider: Provider, serving: Container[str]) -> ProviderRow:
    """`serving`: as `serving_lately`. Blocking."""
    directory, health = pages.tools.admin.directory, pages.tools.health
    ours = [one for one in directory.deployments.values() if one.provider_id == provider.provider_id]
    deployments = [one for one in ours if not one.disabled]
    credentials = [
        one
        for one in directory.credentials.values()
        if one.provider_id == provider.provider_id and not one.revoked
    ]
    tripped = sum(1 for one in deployments if health.breaker(one.deployment_id).state != "closed")
    dead = sum(1 for one in credentials if _is_dead(pages, one))
    return ProviderRow(
        provider=provider,
        state=_state(pages, provider, tripped=tripped, dead=dead, served=provider.name in serving),
        deployments=len(deployments),
        tripped=tripped,
        credentials=len(credentials),
        dead=dead,
    )


def serving_lately(pages: Pages) -> frozenset[str]:
    """Names of the providers that answered a call of the last day well. Blocking."""
    tools = pages.tools.admin
    now_us = tools.ports.clock.now_us()
    wanted = UsageFilter(period=Period(from_us=now_us - _DAY_US, until_us=now_us))
    found = tools.usage.earnings(wanted, by=("provider",), limit=PAGE_ROWS_MAX).items
    return frozenset(str(one.group.provider) for one in found if one.served)


def calls_lately(pages: Pages) -> dict[UUID, CallStats]:
    """By deployment, of the last day. Blocking."""
    tools = pages.tools.admin
    return tools.calls.calls(since_us=tools.ports.clock.now_us() - _DAY_US)


def deployment_state(pages: Pages, deployment: Deployment, provider_state: str = "well") -> str:
    """As its breaker and credentials are, else as its provider is."""
    directory, health = pages.tools.admin.directory, pages.tools.health
    if deployment.disabled or directory.providers[deployment.provider_id].disabled:
        return "disabled"
    breaker = health.breaker(deployment.deployment_id)
    if breaker.state != "closed":
        return "tripped" if breaker.state == "open" else "half-open"
    credentials = [directory.credentials[one] for one in deployment.spec.credential_ids]
    if credentials and all(one.revoked or _is_dead(pages, one) for one in credentials):
        return "revoked" if all(one.revoked for one in credentials) else "secret-refused"
    return provider_state if provider_state in {"unasked", "silent"} else "well"


def _state(pages: Pages, provider: Provider, *, tripped: int, dead: int, served: bool) -> str:
    if provider.disabled:
        return "disabled"
    if tripped:
        return "tripped"
    if dead:
        return "secret-refused"
    return "well" if served else _by_probes(_probes(pages, provider.provider_id))


def _by_probes(probes: Iterable[ProbesSummarised]) -> str:
    """By the newest of each credential."""
    newest = {one.credential_id: set(one.outcomes) for one in probes}
    if not newest:
        return "unasked"
    return "silent" if all(one <= _SILENT for one in newest.values()) else "well"


def _probes(pages: Pages, provider_id: UUID) -> list[ProbesSummarised]:
    stored = pages.tools.admin.ports.store.read_stream(probes_stream(provider_id))
    told = [REGISTRY.decode(one.topic, one.state) for one in stored]
    return [one for one in told if isinstance(one, ProbesSummarised)]


def _is_dead(pages: Pages, credential: Credential) -> bool:
    return pages.tools.health.is_dead(credential.credential_id, credential.secret_version)
