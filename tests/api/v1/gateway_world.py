"""A gateway, the sandbox behind it and its log, all as they run: processes, a database, a socket."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid5

import httpx
import msgspec

from adapters.eventstore.store import PostgresEventStore
from application.accounts import open_account
from application.catalogue import add_deployment, publish_prices, set_route
from application.command import Ports
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from bootstrap import migrate, ports_of
from demo_seed import PRICE, PROVIDER, DemoSeed, seed_demo
from domain.catalogue.provider import provider_id_of
from domain.event import Event, TopicRegistry
from domain.fact import SYSTEM
from domain.ledger.events import (
    LEDGER_EVENTS,
    ChargeHeldForReview,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from settings import Settings, from_environment
from tests.api.v1.unit_routes import add_unit_routes
from tests.waiting import until

TOPICS = TopicRegistry(*LEDGER_EVENTS)
FALLBACKS = (
    "status_500",
    "status_429",
    "cut_before_headers",
    "cut_before_body",
    "error_event_first",
    "garbage_body",
)
ABSURD = ("usage_x1000", "usage_int64", "usage_1e400", "usage_negative", "usage_string")
ALONE = ("cut_mid_stream", "usage_missing", "status_500", "status_400", "error_event_mid_stream", *ABSURD)
_FAULT = "sandbox-fault-"
_NAMES = UUID("9d2ab4e4-41a5-4f3c-8a27-0c8f3a9a7e10")
NAMED = "group/demo"  #: a model name with a slash
SEARCHES = (
    "searches"  #: an alias whose deployment passes searches and tools on, and not the rest of what spends
)
HELD_TO_A_PACE = ("sandbox-fast", "sandbox-fault-drip")
"""Models of deployments with a minimum that no answer keeps which is told to take its time: `paced/...` alone, `second/paced` with another."""
POOR_NANO = 1_000


class World:
    """What a test can ask and look at."""

    def __init__(
        self, *, url: str, settings: Settings, seed: DemoSeed, ports: Ports, gateway_pid: int, log: Path
    ) -> None:
        self.gateway_pid = gateway_pid
        self.log = log  #: what the gateway has logged
        self.url = url
        self.settings = settings
        self.seed = seed
        self.ports = ports
        self.client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._store = PostgresEventStore(settings.database_url)

    def close(self) -> None:
        self.client.close()
        self._store.close()

    def chat(self, body: object, *, key: str | None = None, **headers: str) -> httpx.Response:
        """One request; a body that is no dictionary goes out as it is."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"authorization": f"Bearer {key or self.seed.api_key}", "content-type": "application/json"}
        return self.client.post("/v1/chat/completions", content=content, headers=given | headers)

    def events(self, request_id: str) -> list[Event]:
        """The ledger's facts about one request, in order."""
        wanted = UUID(request_id)
        log = self._store.read_log(after_position=0, limit=100_000)
        facts = [TOPICS.decode(one.topic, one.state) for one in log if one.topic.startswith("lease.")]
        return [fact for fact in facts if getattr(fact, "request_id", None) == wanted]

    def ending(self, request_id: str) -> UsageCharged | RequestReleased:
        """How a request ended; it was admitted once and ended once."""
        facts = until(lambda: found if len(found := self.events(request_id)) > 1 else [])
        admitted, ended = facts[0], end_of(facts)
        assert isinstance(admitted, RequestAdmitted)
        assert ended is not None
        assert ended.hold_nano == admitted.hold_nano
        return ended

    def charge(self, request_id: str) -> UsageCharged:
        ended = self.ending(request_id)
        assert isinstance(ended, UsageCharged)
        return ended

    def new_key(
        self,
        name: str,
        *,
        amount_nano: int,
        models: tuple[str, ...] | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        concurrency: int | None = None,
        account_id: UUID | None = None,
    ) -> str:
        """The secret of a key of a new account with that much credit."""
        account_id = account_id or self.ports.ids.new()
        open_account.handle(
            open_account.OpenAccount(name=name, account_id=account_id), actor=SYSTEM, ports=self.ports
        )
        grant_credit(
            GrantCredit(
                account_id=account_id,
                lot_id=self.ports.ids.new(),
                amount_nano=amount_nano,
                source="promo",
                reason="test",
                granted_by=SYSTEM.label,
            ),
            store=self.ports.store,
            clock=self.ports.clock,
        )
        command = issue_key.IssueKey(
            account_id=account_id, name=name, models=models, rpm=rpm, tpm=tpm, concurrency=concurrency
        )
        secret = issue_key.handle(command, actor=SYSTEM, ports=self.ports).secret.reveal()
        until(lambda: self._is_known(secret))
        return secret

    def _is_known(self, secret: str) -> bool:
        answer = self.client.get("/v1/models", headers={"authorization": f"Bearer {secret}"})
        return answer.status_code == 200


def end_of(facts: Sequence[Event]) -> UsageCharged | RequestReleased | None:
    """How a request ended; None if it was not admitted once and ended once.

    Behind a charge whose usage cannot be stands that it is held for review, and behind no other.
    """
    match facts:
        case [RequestAdmitted(), UsageCharged() | RequestReleased() as ended]:
            return ended
        case [RequestAdmitted(), UsageCharged(usage_flags=flags) as ended, ChargeHeldForReview()] if flags:
            return ended
    return None


def ask(
    model: str = "demo-fast", *, stream: bool = False, script: object = None, **fields: object
) -> dict[str, object]:
    """A request body; `script` tells the sandbox how to answer."""
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": "What is the plan for today?"}],
        "max_tokens": 40,
        "stream": stream,
    }
    if script is not None:
        body["metadata"] = {"sandbox": json.dumps(script)}
    return body | fields


def deployment_id_of(model: str) -> UUID:
    """Of the models that `_add_routes` adds. Those that fail first have one of their own: its breaker is nobody else's."""
    return uuid5(_NAMES, model)


def _add_routes(ports: Ports) -> None:
    """Aliases whose first deployment fails, alone or with a second one that serves."""
    aliases: dict[str, list[str]] = {NAMED: ["sandbox-echo"]}
    for fault in FALLBACKS:
        aliases[f"second/{fault}"] = [f"first {_FAULT}{fault}", "sandbox-echo"]
    for fault in ALONE:
        aliases[f"alone/{fault}"] = [f"{_FAULT}{fault}"]
    for name in sorted({name for names in aliases.values() for name in names}):
        add_deployment.handle(
            add_deployment.AddDeployment(
                deployment_id=deployment_id_of(name),
                provider_id=provider_id_of(PROVIDER),
                upstream_model=name.removeprefix("first "),
                context_tokens=128_000,
                output_tokens_max=4_096,
            ),
            actor=SYSTEM,
            ports=ports,
        )
    _add_searching(ports)
    for model in HELD_TO_A_PACE:
        _add_paced(ports, model)
        aliases[f"paced/{model}"] = [f"paced-{model}"]
    aliases["second/paced"] = ["paced-sandbox-fault-drip", "sandbox-echo"]
    for alias, names in aliases.items():
        targets = tuple(set_route.Target(deployment_id=deployment_id_of(name)) for name in names)
        set_route.handle(set_route.SetRoute(alias=alias, targets=targets), actor=SYSTEM, ports=ports)
    prices = publish_prices.PublishPrices(
        entries=dict.fromkeys([*aliases, SEARCHES, "demo", "demo-fast"], PRICE), note="test"
    )
    publish_prices.handle(prices, actor=SYSTEM, ports=ports)


def _add_paced(ports: Ports, model: str) -> None:
    deployment = add_deployment.AddDeployment(
        deployment_id=uuid5(_NAMES, f"paced-{model}"),
        provider_id=provider_id_of(PROVIDER),
        upstream_model=model,
        context_tokens=128_000,
        output_tokens_max=4_096,
        bytes_s_min=100_000,
        bytes_window_ms=500,
    )
    add_deployment.handle(deployment, actor=SYSTEM, ports=ports)


def _add_searching(ports: Ports) -> None:
    deployment = add_deployment.AddDeployment(
        provider_id=provider_id_of(PROVIDER),
        upstream_model="sandbox-echo",
        context_tokens=128_000,
        output_tokens_max=4_096,
        passes=("web_search_options", "tools"),
    )
    added = add_deployment.handle(deployment, actor=SYSTEM, ports=ports)
    route = set_route.SetRoute(alias=SEARCHES, targets=(set_route.Target(deployment_id=added.id),))
    set_route.handle(route, actor=SYSTEM, ports=ports)


@contextmanager
def _process(
    arguments: Sequence[str], environment: dict[str, str], log: Path
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that must still be alive at the end, and ends with 0 when asked to."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
            assert process.poll() is None, log.read_text()[-4_000:]
        finally:
            process.terminate()
            try:
                code = process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                code = None
                process.kill()
                process.wait()
    assert code in (0, -15), log.read_text()[-4_000:]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running_world(environment: dict[str, str], scratch: Path) -> Iterator[World]:
    """Migrate, seed and start everything; the gateway's log must not hold a failure at the end."""
    settings = from_environment(environment)
    migrate(settings)
    ready = scratch / "ready.json"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    gateway_log = scratch / "gateway.log"
    with _process(["sandbox", "--ready-file", str(ready)], inherited, scratch / "sandbox.log"):
        until(ready.exists)
        base_url = json.loads(ready.read_text())["base_url"]
        seed = seed_demo(settings, sandbox_base_url=base_url, data_root=scratch)
        port = free_port()
        with ports_of(settings) as ports:
            _add_routes(ports)
            add_unit_routes(ports, PROVIDER)
            command = ["gateway_main", "--port", str(port)]
            with _process(command, inherited | environment, gateway_log) as gateway:
                url = f"http://127.0.0.1:{port}"
                world = World(
                    url=url,
                    settings=settings,
                    seed=seed,
                    ports=ports,
                    gateway_pid=gateway.pid,
                    log=gateway_log,
                )
                until(lambda: _answers(world))
                yield world
                world.close()
    assert "request_failed" not in gateway_log.read_text(), gateway_log.read_text()[-4_000:]


def _answers(world: World) -> bool:
    try:
        return world.client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def price_nano(usage: dict[str, int]) -> int:
    """What the sandbox's own usage costs: 0.5 and 1.5 credits for a million tokens."""
    return usage["prompt_tokens"] * 500 + usage["completion_tokens"] * 1_500


def decoded(line: str) -> dict[str, object]:
    """The JSON of one event of a stream."""
    return msgspec.json.decode(line.removeprefix("data: "), type=dict[str, object])
