"""What probes ask, what they tell the log, and what they leave alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from adapters.upstream.client import UpstreamClient
from application.catalogue import add_deployment, disable_provider, register_provider, store_credential
from application.directory import Directory
from application.routing import probing
from application.routing.health import CONSECUTIVE_MAX, Health
from application.routing.probe import Probed, probe
from application.routing.probing import FUNDS_REST_S, SUMMARY_S, Probing
from domain.catalogue.provider import Dialect
from domain.event import Event
from domain.fact import SYSTEM
from domain.health.probe import ProbesSummarised
from domain.secret import Secret
from domain.topics import REGISTRY
from tests.application.directory_world import World
from tests.application.routing.provider_server import ProviderServer, answer, provider_server

SECRETS = ("sk-first-0123456789", "sk-second-0123456789")


class Scene:
    """A provider, an installation that uses it, a gateway that has seen things, and the prober."""

    def __init__(
        self, provider: ProviderServer, upstream: UpstreamClient, dialect: Dialect = "openai"
    ) -> None:
        self.provider = provider
        self.world = World()
        self.upstream = upstream
        ports = self.world.ports
        registered = register_provider.handle(
            register_provider.RegisterProvider(
                name="acme", dialect=dialect, base_url=provider.url, usage_dialect="openai"
            ),
            actor=SYSTEM,
            ports=ports,
        )
        self.provider_id = registered.id
        self.credential_ids = [
            store_credential.handle(
                store_credential.StoreCredential(provider_id=self.provider_id, secret=Secret(secret)),
                actor=SYSTEM,
                ports=ports,
            ).id
            for secret in SECRETS
        ]
        self.deployment_id = add_deployment.handle(
            add_deployment.AddDeployment(
                provider_id=self.provider_id,
                credential_id=self.credential_ids[0],
                more_credential_ids=(self.credential_ids[1],),
                upstream_model="m",
                context_tokens=1000,
                output_tokens_max=100,
            ),
            actor=SYSTEM,
            ports=ports,
        ).id
        self.gateway = Health(instance_id=UUID(int=5), clock=self.world.clock)
        health = Health(instance_id=UUID(int=6), clock=self.world.clock)
        self.probing = Probing(
            directory=Directory(self.world.ports.hasher, health=health),
            health=health,
            store=self.world.store,
            vault=self.world.vault,
            clock=self.world.clock,
            delay=_at_once,
        )

    async def round(self) -> None:
        await self.probing.round(self.upstream)

    def told(self) -> list[Event]:
        """What the log has of health, in order."""
        log = [one for one in self.world.store.log if "health" in one.topic or "breaker" in one.topic]
        return [REGISTRY.decode(one.topic, one.state) for one in log]

    def story(self) -> list[str]:
        return [one.TOPIC.removesuffix(".v1") for one in self.told()]

    def outage(self) -> None:
        """The gateway saw the deployment fail and told of it."""
        for _ in range(CONSECUTIVE_MAX):
            self.gateway.failed(self.deployment_id, "timeout", was_trial=False)
        self._tell()

    def dead(self, cause: Any) -> None:
        """The gateway saw the first credential refused."""
        status = 401 if cause == "auth" else 402
        self.gateway.credential_failed(self.credential_ids[0], secret_version=1, cause=cause, status=status)
        self._tell()

    def _tell(self) -> None:
        while self.gateway.proposals:
            self.gateway.proposals.popleft()(self.world.store)


async def _at_once() -> None:
    pass


def play(scenario: Callable[[Scene], Awaitable[None]], *, dialect: Dialect = "openai") -> Scene:
    async def main() -> Scene:
        upstream = UpstreamClient()
        try:
            async with provider_server() as provider:
                scene = Scene(provider, upstream, dialect)
                await scenario(scene)
                return scene
        finally:
            await upstream.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("dialect", "line", "header"),
    [
        ("openai", "GET /v1/models HTTP/1.1", f"authorization: Bearer {SECRETS[0]}"),
        ("anthropic", "GET /v1/v1/models?limit=1 HTTP/1.1", f"x-api-key: {SECRETS[0]}"),
        ("gemini", "GET /v1/models?pageSize=1 HTTP/1.1", f"x-goog-api-key: {SECRETS[0]}"),
    ],
)
def test_a_probe_lists_models_and_nothing_else(dialect: Dialect, line: str, header: str) -> None:
    """A GET without a body, below the provider's base URL, once with each credential: it costs nothing."""
    scene = play(Scene.round, dialect=dialect)
    heads = scene.provider.requests
    assert len(heads) == len(SECRETS)
    assert {head.splitlines()[0] for head in heads} == {line}
    assert sum(header in head for head in heads) == 1
    assert ("anthropic-version: 2023-06-01" in heads[0]) == (dialect == "anthropic")


def test_a_healthy_provider_leaves_no_trace_but_the_hourly_summary() -> None:
    """With how often and how fast it answered."""

    async def scenario(scene: Scene) -> None:
        for _ in range(3):
            await scene.round()
        assert scene.told() == []
        scene.world.clock.move(SUMMARY_S)
        await scene.round()

    scene = play(scenario)
    assert scene.story() == ["provider-health.probed"] * 2
    for summary in scene.told():
        assert isinstance(summary, ProbesSummarised)
        assert summary.outcomes == {"ok": 4}
        assert summary.to_us - summary.from_us == SUMMARY_S * 1_000_000
        assert summary.latency_max_ms is not None
    assert {one.credential_id for one in scene.told() if isinstance(one, ProbesSummarised)} == set(
        scene.credential_ids
    )


def test_what_was_not_summed_up_is_at_the_end() -> None:
    """Nothing is lost when the process stops, and nothing is told twice."""

    async def scenario(scene: Scene) -> None:
        await scene.round()
        scene.probing.close()
        scene.probing.close()

    assert play(scenario).story() == ["provider-health.probed"] * 2


def test_a_success_closes_a_breaker_whose_time_has_passed() -> None:
    """Not before: a provider may list models and fail at everything else."""

    async def scenario(scene: Scene) -> None:
        scene.outage()
        await scene.round()
        assert scene.story() == ["breaker.opened"]
        scene.world.clock.move(11)
        await scene.round()

    scene = play(scenario)
    assert scene.story() == ["breaker.opened", "breaker.closed"]
    assert scene.told()[-1].cause == "probe_succeeded"  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [500, 503, 429, 404, 302, 403])
def test_anything_but_a_success_closes_nothing(status: int) -> None:
    """A redirect is not followed, a refusal is none of the breaker's business."""

    async def scenario(scene: Scene) -> None:
        scene.outage()
        scene.world.clock.move(11)
        scene.provider.tell(status, b"{}", b"location: /elsewhere")
        await scene.round()

    scene = play(scenario)
    assert scene.story() == ["breaker.opened"]
    assert len(scene.provider.requests) == len(SECRETS)


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (401, b"{}", "auth"),
        (402, b"{}", "funds"),
        (400, b'{"error":{"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}', "auth"),
        (400, b'{"code":"invalid-argument","error":"Incorrect API key provided"}', "auth"),
        (200, b'{"base_resp":{"status_code":1004,"status_msg":"no"}}', "auth"),
    ],
    ids=["401", "402", "gemini", "xai", "minimax"],
)
def test_a_refused_secret_is_set_aside_before_a_customer_meets_it(
    status: int, body: bytes, cause: str
) -> None:
    """Only the one that was refused, in whatever way its provider says so, and once."""

    async def scenario(scene: Scene) -> None:
        scene.provider.refuses[SECRETS[0]] = answer(status, body)
        await scene.round()
        await scene.round()

    scene = play(scenario)
    (failed,) = scene.told()
    assert failed.TOPIC == "credential-health.failed.v1"
    assert (failed.credential_id, failed.cause, failed.status) == (scene.credential_ids[0], cause, status)  # type: ignore[attr-defined]


def test_a_key_that_may_not_list_models_is_left_alone() -> None:
    """A restricted key answers 403 here and serves requests all the same."""

    async def scenario(scene: Scene) -> None:
        scene.provider.tell(403)
        await scene.round()
        scene.probing.close()

    scene = play(scenario)
    assert set(scene.story()) == {"provider-health.probed"}
    assert scene.told()[0].outcomes == {"auth": 1}  # type: ignore[attr-defined]


def test_a_dead_credential_recovers_when_its_provider_takes_it_again() -> None:
    """The very next probe finds out."""

    async def scenario(scene: Scene) -> None:
        scene.dead("auth")
        await scene.round()

    scene = play(scenario)
    assert scene.story() == ["credential-health.failed", "credential-health.recovered"]


def test_one_without_money_is_left_alone_for_a_while() -> None:
    """A list of models is no proof of money; after a time a request may find out."""

    async def scenario(scene: Scene) -> None:
        scene.dead("funds")
        await scene.round()
        assert scene.story() == ["credential-health.failed"]
        scene.world.clock.move(FUNDS_REST_S)
        await scene.round()

    assert play(scenario).story() == ["credential-health.failed", "credential-health.recovered"]


def test_a_provider_that_is_disabled_is_not_asked() -> None:
    """It is nobody's business any more."""

    async def scenario(scene: Scene) -> None:
        command = disable_provider.DisableProvider(provider_id=scene.provider_id, reason="x")
        disable_provider.handle(command, actor=SYSTEM, ports=scene.world.ports)
        await scene.round()

    assert play(scenario).provider.requests == []


def test_a_provider_that_is_away_is_unreachable() -> None:
    """No answer, so no status; it says nothing of the secret."""
    scene = play(Scene.round)
    (view, _) = scene.world.follow().deployments_in_use()

    async def away() -> Probed:
        upstream = UpstreamClient()
        try:
            return await probe(upstream, view)
        finally:
            await upstream.aclose()

    found = asyncio.run(away())
    assert (found.outcome, found.status) == ("unreachable", 0)
    assert scene.story() == []


def test_a_list_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status has said it all."""
    monkeypatch.setattr("application.routing.probe.ANSWER_BYTES_MAX", 10)

    async def scenario(scene: Scene) -> None:
        scene.dead("auth")
        scene.provider.tell(200, b'{"data":["' + b"x" * 1_000 + b'"]}')
        await scene.round()

    assert play(scenario).story() == ["credential-health.failed", "credential-health.recovered"]


def test_no_secret_is_in_what_is_told() -> None:
    """Nor anything else that the provider said."""

    async def scenario(scene: Scene) -> None:
        scene.provider.tell(401, SECRETS[0].encode())
        await scene.round()
        scene.probing.close()

    scene = play(scenario)
    health = [one.state for one in scene.world.store.log if "health" in one.topic]
    assert health
    assert not any(secret.encode() in state for state in health for secret in SECRETS)


def test_a_round_is_slower_than_an_attempt_may_be() -> None:
    """So that a round that hangs everywhere ends before the next begins."""
    assert probing.EVERY_S > probing.JITTER_S + 2 * 15
