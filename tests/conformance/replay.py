"""Sends every exchange of the corpus through a running gateway and gathers what came of it, on all sides."""

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import msgspec

from domain.event import Event
from domain.ledger.events import RequestReleased, UsageCharged
from tests.api.v1.gateway_world import World, end_of
from tests.conformance.corpus import Case
from tests.conformance.oracle import DIALECTS, PRICE
from tests.conformance.replay_upstream import NAME, Cuts, ReplayUpstream, Reply
from tests.conformance.setting_up import PASSES, add_model, add_provider, lease_facts, publish
from tests.waiting import until

PARALLEL = 24
OUTPUT_TOKENS_MAX = 32_768
UPSTREAM_MODEL = "recorded/model"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One case to send; a stream goes twice, with usage asked for by the client and not."""

    case: Case
    wanted: bool
    request: dict[str, Any]
    body: bytes  #: what the provider answers

    @property
    def name(self) -> str:
        return f"{self.case.id}{' +usage' if self.case.stream and self.wanted else ''}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the client got, what the provider was asked and what the ledger says."""

    exchange: Exchange
    status: int
    headers: httpx.Headers
    content: bytes
    asked: list[dict[str, Any]]
    facts: list[Event]

    @property
    def name(self) -> str:
        return self.exchange.name

    @property
    def case(self) -> Case:
        return self.exchange.case

    @property
    def ended(self) -> UsageCharged | RequestReleased | None:
        """How it ended; None if it was not admitted once and ended once."""
        return end_of(self.facts)

    @property
    def charged(self) -> UsageCharged:
        assert isinstance(self.ended, UsageCharged), f"{self.name}: {self.status}"
        return self.ended


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, and the cuts that the answers came in."""

    outcomes: list[Outcome]
    cuts: Cuts
    seed: int


def exchanges_of(cases: Sequence[Case], *, seed: int) -> list[Exchange]:
    """What to send, in random order."""
    dice = random.Random(seed)
    exchanges = [
        Exchange(case=case, wanted=wanted, request=_request(case, wanted=wanted), body=case.body(dice))
        for case in cases
        for wanted in ((False, True) if case.stream else (False,))
    ]
    dice.shuffle(exchanges)
    return exchanges


def _request(case: Case, *, wanted: bool) -> dict[str, Any]:
    """The recorded request, or one that its prompt could have come from where none was kept."""
    request = unrouted(case.request) if case.request is not None else _made_up(case)
    request["model"] = alias_of(case.provider)
    if case.stream:
        options = dict(request.get("stream_options") or {})
        options.pop("include_usage", None)
        request["stream_options"] = options | {"include_usage": True} if wanted else options
        if not request["stream_options"]:
            del request["stream_options"]
    return request


def unrouted(request: dict[str, Any]) -> dict[str, Any]:
    """Without what routes at OpenRouter, whose names are not those of this gateway: here it would route as well."""
    return {name: value for name, value in request.items() if name not in ("models", "provider")}


def _made_up(case: Case) -> dict[str, Any]:
    text = "word " * (case.usage or {}).get("prompt_tokens", 1)
    return {"messages": [{"role": "user", "content": text}], "stream": case.stream}


def alias_of(provider: str) -> str:
    return f"recorded/{provider}"


def replay(world: World, cases: Sequence[Case], *, seed: int) -> Replay:
    """Send everything; returns when the ledger has an end for every request."""
    exchanges = exchanges_of(cases, seed=seed)
    replies = {
        one.name: Reply(status=one.case.status, body=one.body, stream=one.case.stream) for one in exchanges
    }
    upstream = ReplayUpstream(replies, seed=seed)
    key = world.new_key("recorded traffic", amount_nano=10**15)
    answers = asyncio.run(_send(world, upstream, exchanges, key))
    ids = {UUID(answer.headers["x-request-id"]) for answer in answers}
    facts = until(lambda: ended_facts(world, ids))
    outcomes = [
        Outcome(
            exchange=exchange,
            status=answer.status_code,
            headers=answer.headers,
            content=answer.content,
            asked=upstream.asked.get(exchange.name, []),
            facts=facts[UUID(answer.headers["x-request-id"])],
        )
        for exchange, answer in zip(exchanges, answers, strict=True)
    ]
    return Replay(outcomes=outcomes, cuts=upstream.cuts, seed=seed)


def ended_facts(world: World, ids: set[UUID]) -> dict[UUID, list[Event]]:
    """The facts about each request, once every admitted one has ended; until then nothing."""
    facts: dict[UUID, list[Event]] = {request_id: [] for request_id in ids}
    for fact in lease_facts(world):
        request_id = getattr(fact, "request_id", None)
        if request_id in facts:
            facts[request_id].append(fact)
    return {} if any(len(some) == 1 for some in facts.values()) else facts


async def _send(
    world: World, upstream: ReplayUpstream, exchanges: list[Exchange], key: str
) -> list[httpx.Response]:
    async with upstream.running(), _client(world, key) as client:
        await asyncio.to_thread(_set_up, world, upstream.base_url, exchanges, key)
        answers: dict[str, httpx.Response] = {}
        todo = iter(exchanges)

        async def work() -> None:
            for one in todo:
                content = json.dumps(one.request | {NAME: one.name}, ensure_ascii=False).encode()
                answers[one.name] = await client.post("/v1/chat/completions", content=content)

        await asyncio.gather(*(work() for _ in range(PARALLEL)))
    return [answers[one.name] for one in exchanges]


def _client(world: World, key: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return httpx.AsyncClient(base_url=world.url, headers=headers, timeout=120, trust_env=False)


def _set_up(world: World, base_url: str, exchanges: list[Exchange], key: str) -> None:
    providers = sorted({one.case.provider for one in exchanges})
    for provider in providers:
        dialect = DIALECTS.get(provider, "openai")
        add_provider(world, f"recorded-{provider}", base_url=base_url, usage_dialect=dialect)
        add_model(
            world,
            alias_of(provider),
            provider=f"recorded-{provider}",
            upstream_model=UPSTREAM_MODEL,
            output_tokens_max=OUTPUT_TOKENS_MAX,
            # The only one whose recorded requests have tools that the provider runs.
            passes=(*PASSES, "tools") if provider == "openrouter" else PASSES,
        )
    publish(world, dict.fromkeys(map(alias_of, providers), PRICE), key=key)
