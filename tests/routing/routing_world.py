"""Two gateways of one installation, as processes, and a provider that does as it is told."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID, uuid5

import httpx

from adapters.eventstore.store import PostgresEventStore
from application.accounts import open_account
from application.catalogue import (
    add_deployment,
    publish_prices,
    register_provider,
    set_route,
    store_credential,
)
from application.command import Ports
from application.eventlog import RecordedEvent
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from bootstrap import migrate, ports_of
from domain.catalogue.alias import FallOverCause
from domain.catalogue.deployment_spec import Operation
from domain.catalogue.prices import PriceText
from domain.catalogue.provider import Dialect
from domain.event import Event
from domain.fact import SYSTEM
from domain.ledger.events import UsageCharged
from domain.secret import Secret
from domain.topics import REGISTRY
from settings import Settings, from_environment
from tests.waiting import until

_NAMES = UUID("1d5a2c3e-6f7b-4c8d-9e0f-a1b2c3d4e5f6")
CREDIT_NANO = 10**9
PRIMARY, SECONDARY, KEYED = "sandbox-fast", "sandbox-echo", "sandbox-long"
"""Models of the provider. Each stands for a deployment of its own; the sandbox can be told to fail at each."""
_PROVIDERS = {PRIMARY: "alpha", SECONDARY: "beta", KEYED: "gamma"}
ALIASES: Mapping[str, tuple[str, ...]] = {
    "pair": (PRIMARY, SECONDARY),
    "single": (PRIMARY,),
    "cheap": (SECONDARY,),
    "keyed": (KEYED,),
    "lenient": (PRIMARY, SECONDARY),
}
_LENIENT: tuple[FallOverCause, ...] = ("context_length", "content_filter")
PRICES = {
    "pair": ("1", "2"),
    "single": ("4", "8"),
    "cheap": ("0.5", "1"),
    "keyed": ("1", "2"),
    "lenient": ("1", "2"),
}
SECRETS = ("sk-story-first-01234567", "sk-story-second-0123456")


class RoutingWorld:
    """What a test can do and look at."""

    def __init__(
        self, *, urls: Sequence[str], sandbox_url: str, settings: Settings, ports: Ports, scratch: Path
    ) -> None:
        self.urls = urls
        self.settings = settings
        self.ports = ports
        self.scratch = scratch
        self._sandbox_url = sandbox_url.removesuffix("/v1")
        self._clients = [httpx.Client(base_url=url, timeout=60, trust_env=False) for url in urls]
        self._store = PostgresEventStore(settings.database_url)
        self.credential_ids: list[UUID] = []
        _set_up(ports, sandbox_url, self.credential_ids)
        self.key = self.new_key("story")

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._store.close()

    def is_ready(self) -> bool:
        try:
            return all(client.get("/readyz").status_code == 200 for client in self._clients)
        except httpx.TransportError:
            return False

    def new_key(self, name: str, **limits: tuple[str, ...]) -> str:
        """The secret of a key of a new account with credit; `limits` are those of the key."""
        account_id = self.ports.ids.new()
        opening = open_account.OpenAccount(name=name, account_id=account_id)
        open_account.handle(opening, actor=SYSTEM, ports=self.ports)
        grant_credit(
            GrantCredit(
                account_id=account_id,
                lot_id=self.ports.ids.new(),
                amount_nano=CREDIT_NANO,
                source="promo",
                reason="test",
                granted_by=SYSTEM.label,
            ),
            store=self.ports.store,
            clock=self.ports.clock,
        )
        command = issue_key.IssueKey(account_id=account_id, name=name, **limits)  # type: ignore[arg-type]
        return issue_key.handle(command, actor=SYSTEM, ports=self.ports).secret.reveal()

    def knows(self, key: str) -> bool:
        """Whether every gateway has heard of a key."""
        headers = {"authorization": f"Bearer {key}"}
        return all(one.get("/v1/models", headers=headers).status_code == 200 for one in self._clients)

    def models(self, key: str) -> dict[str, str]:
        answer = self._clients[0].get("/v1/models", headers={"authorization": f"Bearer {key}"})
        return {one["id"]: one["owned_by"] for one in answer.json()["data"]}

    def ask(
        self, model: str, *, gateway: int = 0, key: str | None = None, **members: object
    ) -> httpx.Response:
        """One request to one of the gateways."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello there"}], "max_tokens": 20}
        return self._clients[gateway].post(
            "/v1/chat/completions",
            json=body | members,
            headers={"authorization": f"Bearer {key or self.key}"},
        )

    def served(self, model: str, **how: object) -> UsageCharged:
        """One request that is answered, and its charge."""
        answer = self.ask(model, **how)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return self.charge(answer.headers["x-request-id"])

    def charge(self, request_id: str) -> UsageCharged:
        charged = [one for one in self.log() if isinstance(one, UsageCharged)]
        (found,) = [one for one in charged if one.request_id == UUID(request_id)]
        return found

    def log(self) -> list[Event]:
        """All facts, in order."""
        return [REGISTRY.decode(one.topic, one.state) for one in self.records()]

    def records(self) -> list[RecordedEvent]:
        return self._store.read_log(after_position=0, limit=100_000)

    def end(self) -> int:
        """Where the log ends now."""
        return self.records()[-1].position

    def tell(self, model: str, fault: str, *, times: int | None = None) -> None:
        """Let the provider fail at a model from now on, or so many times."""
        rule: dict[str, object] = {"script": {"fault": fault}, "model": model}
        if times is not None:
            rule["next"] = times
        httpx.post(f"{self._sandbox_url}/_sandbox/script", json=rule, timeout=60).raise_for_status()

    def be_well(self) -> None:
        """Let the provider be well again."""
        httpx.delete(f"{self._sandbox_url}/_sandbox/script", timeout=60).raise_for_status()

    def add_route(self, alias: str, base_url: str, *, dialect: Dialect = "openai") -> None:
        """Another provider of this name with one deployment, and a price."""
        provider_id = register_provider.handle(
            register_provider.RegisterProvider(
                name=alias, dialect=dialect, base_url=base_url, usage_dialect="openai"
            ),
            actor=SYSTEM,
            ports=self.ports,
        ).id
        added = add_deployment.handle(
            add_deployment.AddDeployment(
                provider_id=provider_id, upstream_model="m", context_tokens=8_000, output_tokens_max=1_000
            ),
            actor=SYSTEM,
            ports=self.ports,
        )
        route = set_route.SetRoute(alias=alias, targets=(set_route.Target(deployment_id=added.id),))
        set_route.handle(route, actor=SYSTEM, ports=self.ports)
        price = PriceText(input="1", cached_input="1", cache_write="1", output="1", request="0")
        publish = publish_prices.PublishPrices(entries={alias: price}, note="n")
        publish_prices.handle(publish, actor=SYSTEM, ports=self.ports)
        until(lambda: alias in self.models(self.key))


def _set_up(ports: Ports, base_url: str, credential_ids: list[UUID]) -> None:
    for model, name in _PROVIDERS.items():
        provider_id = register_provider.handle(
            register_provider.RegisterProvider(name=name, base_url=base_url, usage_dialect="sandbox"),
            actor=SYSTEM,
            ports=ports,
        ).id
        if model == KEYED:
            credential_ids += [
                store_credential.handle(
                    store_credential.StoreCredential(provider_id=provider_id, secret=Secret(secret)),
                    actor=SYSTEM,
                    ports=ports,
                ).id
                for secret in SECRETS
            ]
        serves: tuple[Operation, ...] = ("chat",)
        add_deployment.handle(
            add_deployment.AddDeployment(
                deployment_id=deployment_of(model),
                provider_id=provider_id,
                credential_id=credential_ids[0] if model == KEYED else None,
                more_credential_ids=tuple(credential_ids[1:]) if model == KEYED else (),
                upstream_model=model,
                context_tokens=8_000,
                output_tokens_max=1_000,
                serves=serves,
            ),
            actor=SYSTEM,
            ports=ports,
        )
    for alias, models in ALIASES.items():
        targets = tuple(set_route.Target(deployment_id=deployment_of(model)) for model in models)
        causes = _LENIENT if alias == "lenient" else ()
        route = set_route.SetRoute(alias=alias, targets=targets, fall_over_on=causes)
        set_route.handle(route, actor=SYSTEM, ports=ports)
    prices = {
        alias: PriceText(input=prompt, cached_input="0", cache_write=prompt, output=answer, request="0")
        for alias, (prompt, answer) in PRICES.items()
    }
    publish_prices.handle(publish_prices.PublishPrices(entries=prices, note="n"), actor=SYSTEM, ports=ports)


def deployment_of(model: str) -> UUID:
    return uuid5(_NAMES, model)


@contextmanager
def process(
    arguments: Sequence[str], environment: dict[str, str], log: Path
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that must still be alive at the end, and ends when asked to."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("wb") as output:
        one = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=inherited | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield one
            assert one.poll() is None, log.read_text()[-4_000:]
        finally:
            one.terminate()
            try:
                one.wait(timeout=60)
            finally:
                one.kill()
                one.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def routing_world(environment: dict[str, str], scratch: Path) -> Iterator[RoutingWorld]:
    """Migrate, set up and start everything."""
    settings = from_environment(environment)
    migrate(settings)
    ready = scratch / "ready.json"
    with ExitStack() as stack:
        stack.enter_context(process(["sandbox", "--ready-file", str(ready)], {}, scratch / "sandbox.log"))
        until(ready.exists)
        ports = stack.enter_context(ports_of(settings))
        listening = [_free_port() for _ in range(2)]
        world = RoutingWorld(
            urls=[f"http://127.0.0.1:{port}" for port in listening],
            sandbox_url=json.loads(ready.read_text())["base_url"],
            settings=settings,
            ports=ports,
            scratch=scratch,
        )
        for port in listening:
            command = ["gateway_main", "--port", str(port)]
            stack.enter_context(process(command, environment, scratch / f"gateway-{port}.log"))
        stack.callback(world.close)
        until(world.is_ready)
        until(lambda: world.knows(world.key))
        yield world
