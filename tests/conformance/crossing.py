"""Sends recorded answers of every dialect through a running gateway, to clients of the same dialect and of others."""

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec

from domain.catalogue.deployment_spec import Operation
from domain.catalogue.provider import Dialect
from domain.event import Event
from domain.ledger.events import RequestReleased, UsageCharged
from tests.api.v1.gateway_world import World, end_of
from tests.conformance.oracle import DIALECTS, PRICE
from tests.conformance.recordings import Json, Kind, Recording
from tests.conformance.replay import OUTPUT_TOKENS_MAX, PARALLEL, ended_facts, unrouted
from tests.conformance.replay_upstream import NAME, Cuts, ReplayUpstream, Reply
from tests.conformance.setting_up import PASSES, add_model, add_provider, publish
from tests.conformance.used import units_of, usage_of
from tests.waiting import until

UPSTREAM_MODEL: Final = "recorded-model"
STATEFUL: Final = b"stateful_not_supported"
PATHS: dict[Kind, str] = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "completions": "/v1/completions",
}
UPSTREAMS: dict[Kind, tuple[Dialect, str, Operation]] = {
    "chat": ("openai", "/v1", "chat"),
    "messages": ("anthropic", "", "messages"),
    "responses": ("openai", "/v1", "responses"),
    "completions": ("openai", "/v1", "completions"),
    "gemini": ("gemini", "/v1beta", "chat"),
}
"""Dialect, path of the base URL and operation of a deployment that speaks so."""
ALL_PRICED = (*PASSES, "tools", "inference_geo", "prompt_cache_retention", "context_management", "moderation")


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded answer for a client that speaks `client`."""

    client: Kind
    recording: Recording
    request: Json
    made_up: Json  #: a request in place of the recorded one
    body: bytes  #: what the provider answers

    @property
    def native(self) -> bool:
        return self.client == self.recording.kind

    @property
    def name(self) -> str:
        return f"{self.recording.id}>{self.client}"


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """What the client got, what the provider was asked and what the ledger says."""

    crossing: Crossing
    answer: httpx.Response
    tied: bool  #: the recorded request was refused, and the answer was to a made-up one
    asked: list[Json]
    path: str
    facts: list[Event]

    @property
    def name(self) -> str:
        return self.crossing.name

    @property
    def recording(self) -> Recording:
        return self.crossing.recording

    @property
    def ended(self) -> UsageCharged | RequestReleased | None:
        """How it ended; None if it was not admitted once and ended once."""
        return end_of(self.facts)


class Crossings(msgspec.Struct, frozen=True, kw_only=True):
    outcomes: list[Crossed]
    cuts: Cuts
    seed: int


def crossing_of(recording: Recording, client: Kind, *, dice: random.Random) -> Crossing:
    """The recorded request for a client of the same dialect; for others one that its prompt could have come from."""
    made_up = _made_up(recording, client)
    request = made_up
    recorded = recording.request
    if (
        client == recording.kind
        and recorded is not None
        and made_up.keys() - {"stream"}
        <= {
            "model",
            *recorded,
        }
    ):
        request = unrouted(recorded) | {"model": alias_of(recording), NAME: f"{recording.id}>{client}"}
        if recording.stream:  # one recorder left it out
            request["stream"] = True
    return Crossing(
        client=client, recording=recording, request=request, made_up=made_up, body=recording.body(dice)
    )


def alias_of(recording: Recording) -> str:
    return f"{recording.kind}/{recording.provider}"


def _made_up(recording: Recording, client: Kind) -> Json:
    usage = usage_of(recording)
    units = units_of(recording.kind, recording.provider, usage) if usage else None
    tokens = 0 if units is None else units.input + units.cached_input + units.cache_write
    tokens += 0 if units is None else units.cache_write_long
    prompt = f"[[replay {recording.id}>{client}]] " + "word " * tokens
    request: Json = {"model": alias_of(recording), "stream": recording.stream}
    turns = [{"role": "user", "content": prompt}]
    match client:
        case "messages":
            return request | {"messages": turns, "max_tokens": OUTPUT_TOKENS_MAX}
        case "responses":
            return request | {"input": prompt}
        case "completions":
            return request | {"prompt": prompt}
    return (
        request
        | {"messages": turns}
        | ({"stream_options": {"include_usage": True}} if recording.stream else {})
    )


def cross(world: World, pairs: Iterable[tuple[Recording, Kind]], *, seed: int) -> Crossings:
    """Send everything; returns when the ledger has an end for every request."""
    dice = random.Random(seed)
    crossings = [crossing_of(recording, client, dice=dice) for recording, client in pairs]
    dice.shuffle(crossings)
    replies = {
        one.name: Reply(status=one.recording.status, body=one.body, stream=one.recording.stream)
        for one in crossings
    }
    upstream = ReplayUpstream(replies, seed=seed)
    key = world.new_key("recorded dialects", amount_nano=10**15)
    answers = asyncio.run(_send(world, upstream, crossings, key))
    ids = {UUID(answer.headers["x-request-id"]) for answer, _ in answers}
    facts = until(lambda: ended_facts(world, ids))
    outcomes = [
        Crossed(
            crossing=one,
            answer=answer,
            tied=tied,
            asked=upstream.asked.get(one.name, []),
            path=upstream.paths.get(one.name, ""),
            facts=facts[UUID(answer.headers["x-request-id"])],
        )
        for one, (answer, tied) in zip(crossings, answers, strict=True)
    ]
    return Crossings(outcomes=outcomes, cuts=upstream.cuts, seed=seed)


async def _send(
    world: World, upstream: ReplayUpstream, crossings: list[Crossing], key: str
) -> list[tuple[httpx.Response, bool]]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    http = httpx.AsyncClient(base_url=world.url, headers=headers, timeout=120, trust_env=False)
    async with upstream.running(), http as client:
        await asyncio.to_thread(_set_up, world, upstream.origin, crossings, key)
        answers: dict[str, tuple[httpx.Response, bool]] = {}
        todo = iter(crossings)

        async def work() -> None:
            for one in todo:
                answers[one.name] = await _ask(client, one)

        await asyncio.gather(*(work() for _ in range(PARALLEL)))
    return [answers[one.name] for one in crossings]


async def _ask(client: httpx.AsyncClient, one: Crossing) -> tuple[httpx.Response, bool]:
    answer = await client.post(PATHS[one.client], content=_encoded(one.request))
    if answer.status_code != 400 or STATEFUL not in answer.content:
        return answer, False
    return await client.post(PATHS[one.client], content=_encoded(one.made_up)), True


def _encoded(request: Json) -> bytes:
    return json.dumps(request, ensure_ascii=False).encode()


def _set_up(world: World, origin: str, crossings: Sequence[Crossing], key: str) -> None:
    known: dict[str, Any] = {alias_of(one.recording): one.recording for one in crossings}
    for alias, recording in sorted(known.items()):
        dialect, path, operation = UPSTREAMS[recording.kind]
        name = f"dialects-{recording.kind}-{recording.provider}"
        usage_dialect = DIALECTS.get(recording.provider, "openai") if dialect == "openai" else "openai"
        add_provider(world, name, base_url=origin + path, usage_dialect=usage_dialect, dialect=dialect)
        add_model(
            world,
            alias,
            provider=name,
            upstream_model=UPSTREAM_MODEL,
            output_tokens_max=OUTPUT_TOKENS_MAX,
            passes=ALL_PRICED,
            serves=(operation,),
        )
    publish(world, dict.fromkeys(known, PRICE), key=key)
