"""An exchange from its first attempt to its charge: every failure is recorded, and a client that leaves is charged once."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from application.directory_views import DeploymentView
from application.gateway.client import ClientGone
from application.gateway.refused import Refused
from application.upstream import (
    UpstreamBusy,
    UpstreamClosed,
    UpstreamConnectError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamTooSlow,
)
from domain.ledger.events import UsageCharged
from domain.pricing import Window
from tests.application.gateway.exchange_world import (
    ANSWER,
    DONE,
    JSON_HEAD,
    PRICE,
    PROMPT_TOKENS,
    STREAM_HEAD,
    ExchangeWorld,
    Hang,
    Response,
    chunk,
    deployment,
    run,
)


def attempts(world: ExchangeWorld) -> list[tuple[int, int, str]]:
    """Deployment, status and outcome of each attempt that the ledger has."""
    return [(one.deployment_id.int, one.status, one.outcome) for one in world.ending().attempts]


def stream(*pieces: bytes | Exception | Hang | Callable[[], None]) -> Response:
    return Response(pieces, headers=STREAM_HEAD)


def test_an_answer_is_charged_and_passed_on() -> None:
    """Ten and two tokens at one nano-credit each."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([ANSWER]))
        await world.run()
        return world

    world = run(scenario)
    assert (world.client.status, world.client.received) == (200, ANSWER)
    assert world.charged().charge_nano == 12
    assert attempts(world) == [(1, 200, "ok")]
    assert world.charged().attempts[0].upstream_request_id == "up-1"


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (UpstreamConnectError("unreachable"), "unknown"),
        (UpstreamBusy("busy"), "overloaded"),
        (UpstreamTimeout("connect"), "timeout"),
        (UpstreamTimeout("first_byte"), "timeout"),
        (UpstreamProtocolError("cut"), "unknown"),
        (UpstreamClosed("closed"), "unknown"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@pytest.mark.parametrize("where", ["before the head", "within the answer", "within a stream's beginning"])
def test_every_failure_on_the_way_is_an_attempt(failure: UpstreamError, outcome: str, where: str) -> None:
    """Whatever breaks before the first byte went out, the next deployment serves, and both are recorded."""
    is_stream = where == "within a stream's beginning"
    head = 0 if where == "before the head" else 200

    async def scenario() -> ExchangeWorld:
        good = stream(chunk("hi"), chunk(finish="stop"), DONE) if is_stream else Response([ANSWER])
        bad = stream(failure) if is_stream else Response([b'{"id"', failure])
        world = ExchangeWorld(bad if head else failure, good, stream=is_stream)
        await world.run(deployment(1), deployment(2))
        return world

    assert attempts(run(scenario)) == [(1, head, outcome), (2, 200, "ok")]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, "unknown"), (503, "overloaded"), (429, "rate"), (401, "auth"), (402, "funds"), (404, "not_found"), (302, "unknown"), (200, "unknown")],
)  # fmt: skip
def test_every_refusal_of_an_upstream_is_an_attempt(status: int, outcome: str) -> None:
    """With its status; 200 stands for an answer that is none."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([b"no"], status=status), Response([b"no"], status=status))
        with pytest.raises(Refused):
            await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert attempts(world) == [(1, status, outcome), (2, status, outcome)]
    assert world.released().code.startswith("upstream_")


def test_a_bad_request_is_one_attempt_and_ends_the_request() -> None:
    """No other deployment would take it."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([b"{}"], status=400))
        with pytest.raises(Refused):
            await world.run(deployment(1), deployment(2))
        return world

    assert attempts(run(scenario)) == [(1, 400, "bad_request")]


def test_a_stream_that_breaks_later_is_charged_as_an_attempt_that_was_cut() -> None:
    """What the client saw is paid for, by a local count."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(chunk("one two three"), UpstreamClosed("closed")), stream=True)
        await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "truncated")]
    assert (world.charged().result, world.charged().usage_source) == ("cut", "estimated")
    assert world.charged().charge_nano == PROMPT_TOKENS + 3
    assert b'"error"' in world.client.received
    assert DONE not in world.client.received


@pytest.mark.parametrize("where", ["in a document", "within a stream's beginning"])
def test_an_answer_that_is_too_slow_is_left_for_the_next_deployment(where: str) -> None:
    """While nothing has gone to the client."""
    is_stream = where == "within a stream's beginning"

    async def scenario() -> ExchangeWorld:
        good = stream(chunk("hi"), chunk(finish="stop"), DONE) if is_stream else Response([ANSWER])
        bad = stream(b": wait\n\n", UpstreamTooSlow()) if is_stream else Response([UpstreamTooSlow()])
        world = ExchangeWorld(bad, good, stream=is_stream)
        await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "too_slow"), (2, 200, "ok")]
    assert world.charged().result == "completed"


def test_a_stream_that_becomes_too_slow_is_charged_for_what_came() -> None:
    """Its client is told within it."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(chunk("one two three"), UpstreamTooSlow()), stream=True)
        await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "too_slow")]
    assert (world.charged().result, world.charged().charge_nano) == ("cut", PROMPT_TOKENS + 3)
    assert b'"error"' in world.client.received
    assert DONE not in world.client.received


@pytest.mark.parametrize("where", ["before the first byte", "after it"])
def test_the_breaker_counts_what_is_too_slow(where: str) -> None:
    """Five in a row open it, and the fact in the log says of what."""
    begun = [chunk("hi")] if where == "after it" else []

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(*begun, UpstreamTooSlow()), stream=True)
        for _ in range(4):
            world.health.failed(deployment().deployment_id, "too_slow", was_trial=False)
        assert world.health.breaker(deployment().deployment_id).state == "closed"
        if begun:
            await world.run()
        else:
            with pytest.raises(Refused):
                await world.run()
        return world

    world = run(scenario)
    assert world.health.breaker(deployment().deployment_id).state == "open"


# --- a client that leaves


@pytest.mark.parametrize("is_stream", [False, True], ids=["json", "stream"])
def test_a_client_that_leaves_before_the_head_pays_its_prompt(*, is_stream: bool) -> None:
    """The upstream did not answer within the time: the attempt is recorded, and no other one begins."""

    async def scenario() -> ExchangeWorld:
        hang = Hang()
        world = ExchangeWorld(hang, stream=is_stream)
        running = asyncio.create_task(world.run(deployment(1), deployment(2)))
        await hang.reached.wait()
        world.client.leave()
        await running
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 0, "client-left")]
    assert (world.charged().result, world.charged().charge_nano) == ("client-left", PROMPT_TOKENS)
    assert len(world.upstreams.requests) == 1


def test_an_answer_that_runs_away_is_cut() -> None:
    """A provider that ignores the bound of fifty tokens is not read on for hours: the loss would be ours."""
    flood = [chunk("word " * 200) for _ in range(2_000)]

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(*flood, AssertionError("read on")), stream=True)
        await world.run()
        return world

    world = run(scenario)
    assert world.client.received.count(b"word") < 200 * 200
    assert b'"error"' in world.client.parts[-1]
    assert world.charged().result == "cut"
    assert attempts(world) == [(1, 200, "stream_too_long")]


def test_an_answer_within_its_bound_is_never_cut() -> None:
    """However much surrounds its few words."""
    padded = [chunk("").replace(b'"choices"', b'"obfuscation":"' + b"x" * 4_000 + b'","choices"')] * 200

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(*padded, chunk("hi"), chunk(finish="stop"), DONE), stream=True)
        await world.run()
        return world

    assert run(scenario).charged().result == "completed"


def test_what_a_failed_deployment_said_is_not_charged_with_the_next_one() -> None:
    """Nothing of it went to the client, and the one that was waited for had said nothing."""

    async def scenario() -> ExchangeWorld:
        hang = Hang()
        withheld = chunk("one two three", finish="stop")
        world = ExchangeWorld(stream(withheld, UpstreamClosed("closed")), hang, stream=True)
        running = asyncio.create_task(world.run(deployment(1), deployment(2)))
        await hang.reached.wait()
        world.client.leave()
        await running
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "unknown"), (2, 0, "client-left")]
    assert world.charged().charge_nano == PROMPT_TOKENS


def test_a_client_that_leaves_within_a_stream_pays_what_was_seen() -> None:
    """Read on for the time, then cut: the upstream's connection is closed."""
    hang_after = chunk("one two three")
    cut: list[Response] = []

    async def scenario() -> ExchangeWorld:
        hang = Hang()
        cut.append(stream(hang_after, hang))
        world = ExchangeWorld(cut[0], stream=True)
        running = asyncio.create_task(world.run())
        await hang.reached.wait()
        world.client.leave()
        await running
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "client-left")]
    assert (world.charged().result, world.charged().charge_nano) == ("client-left", PROMPT_TOKENS + 3)
    assert world.charged().attempts[0].upstream_request_id == "up-1"
    assert cut[0].closed


def test_a_stream_that_ends_in_time_is_charged_by_its_usage_though_the_client_left() -> None:
    """The time to read on was enough for the real figures."""
    usage = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}'

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream=True)
        world.upstreams = type(world.upstreams)(
            stream(chunk("hi"), world.client.leave, chunk(finish="stop", usage=usage), DONE)
        )
        world.drain_s = 20.0
        await world.run()
        return world

    world = run(scenario)
    assert (world.charged().result, world.charged().usage_source) == ("client-left", "provider")
    assert world.charged().charge_nano == 12


@pytest.mark.parametrize("failure", ["error", "status", "cut answer"])
def test_no_attempt_begins_after_the_client_has_left(failure: str) -> None:
    """The first deployment fails without it: nobody waits for another one, and nothing was generated to pay for."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld()
        world.drain_s = 20.0

        async def fail() -> Response:
            world.client.leave()
            if failure == "error":
                raise UpstreamClosed("closed")
            pieces: list[bytes | Exception] = [b"x"]
            if failure == "cut answer":
                pieces.append(UpstreamClosed("closed"))
            return Response(pieces, status=200 if failure == "cut answer" else 500)

        world.upstreams = type(world.upstreams)(fail)
        with pytest.raises(ClientGone):
            await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert len(attempts(world)) == 1
    assert world.released().code == "client_closed"


def test_a_client_that_left_before_the_first_attempt_costs_nobody_anything() -> None:
    """Not one call."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld()
        world.client.gone = True
        with pytest.raises(ClientGone):
            await world.run()
        return world

    world = run(scenario)
    assert (attempts(world), world.upstreams.requests) == ([], [])


def test_a_refusal_that_is_still_being_read_when_the_time_is_over_is_free() -> None:
    """The upstream had said 500 already: there is no prompt to pay for."""

    async def scenario() -> ExchangeWorld:
        hang = Hang()
        world = ExchangeWorld(Response([hang], status=500))
        running = asyncio.create_task(world.run())
        await hang.reached.wait()
        world.client.leave()
        with pytest.raises(ClientGone):
            await running
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 500, "unknown")]
    assert world.released().code == "client_closed"


# --- mistakes of ours


@pytest.mark.parametrize("gone", [False, True], ids=["client there", "client gone"])
@pytest.mark.parametrize("error", [TimeoutError(), ValueError()], ids=["timeout", "value"])
def test_a_mistake_of_ours_gives_the_hold_back(error: Exception, *, gone: bool) -> None:
    """A `TimeoutError` is the end of reading on only if that time has passed; any other one is no charge."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream=True)
        world.drain_s = 20.0
        leave = world.client.leave if gone else lambda: None
        world.upstreams = type(world.upstreams)(stream(chunk("hi"), leave, error))
        with pytest.raises(type(error)):
            await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert attempts(world) == [(1, 200, "internal_error")]
    assert world.released().code == "internal_error"


# --- usage for a client that asked for it

USAGE = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}'


def last_events(world: ExchangeWorld, count: int) -> list[bytes]:
    return world.client.received.split(b"\n\n")[-1 - count : -1]


@pytest.mark.parametrize("done", [DONE, b""], ids=["with done", "without"])
def test_usage_that_the_upstream_did_not_send_is_added_before_the_end(done: bytes) -> None:
    """The local count, stamped as the stream is, and only once it has been charged."""
    facts: list[int] = []

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(
            stream(chunk("one two"), chunk(finish="stop"), done), stream=True, usage_wanted=True
        )
        world.client.before_end = lambda: facts.append(len(world.ledger.facts(UsageCharged)))
        await world.run()
        return world

    world = run(scenario)
    finish, usage, end = last_events(world, 3)
    assert (finish + b"\n\n", end) == (chunk(finish="stop"), b"data: [DONE]")
    assert usage == (
        b'data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"up","choices":[],'
        b'"usage":{"prompt_tokens":%d,"completion_tokens":2,"total_tokens":%d}}'
        % (PROMPT_TOKENS, PROMPT_TOKENS + 2)
    )
    assert world.charged().charge_nano == PROMPT_TOKENS + 2
    assert facts == [1]


@pytest.mark.parametrize(
    ("wanted", "sent"), [(True, USAGE), (False, None), (False, USAGE)], ids=["sent", "unasked", "stripped"]
)
def test_usage_is_added_to_no_other_stream(*, wanted: bool, sent: str | None) -> None:
    """The upstream sent it, or nobody asked."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(
            stream(chunk("hi"), chunk(finish="stop", usage=sent), DONE), stream=True, usage_wanted=wanted
        )
        await world.run()
        return world

    world = run(scenario)
    assert world.client.received.count(b'"usage"') == wanted
    assert last_events(world, 1) == [b"data: [DONE]"]


def test_a_stream_without_a_finish_gets_its_usage_as_well() -> None:
    """Nothing of it was withheld: the stamp is that of its beginning."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(chunk("hi"), chunk("you"), DONE), stream=True, usage_wanted=True)
        await world.run()
        return world

    assert b'"id":"c1"' in last_events(run(scenario), 2)[0]


def test_a_broken_stream_gets_no_usage() -> None:
    """Its end is an error."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(chunk("hi")), stream=True, usage_wanted=True)
        await world.run()
        return world

    assert b'"usage"' not in run(scenario).client.received


# --- the charge for a client that asked for it


def cost_of(usage: dict[str, Any]) -> int:
    cost = usage["cost"] * 10**9
    assert cost == int(cost)
    return int(cost)


def asked(world: ExchangeWorld) -> ExchangeWorld:
    world.cost_wanted = True
    return world


@pytest.mark.parametrize(
    "answer", [ANSWER, ANSWER[: ANSWER.index(b',"usage"')] + b"}"], ids=["told", "counted here"]
)
def test_an_answer_tells_its_charge(answer: bytes) -> None:
    """In its usage, or in the one that was counted here; everything else is as it came."""

    async def scenario() -> ExchangeWorld:
        world = asked(ExchangeWorld(Response([answer])))
        await world.run()
        return world

    world = run(scenario)
    told = json.loads(world.client.received, parse_float=Decimal)
    usage = told.pop("usage")
    assert cost_of(usage) == world.charged().charge_nano > 0
    assert world.charged().charge_nano == usage["total_tokens"]
    assert told == {name: value for name, value in json.loads(answer).items() if name != "usage"}


@pytest.mark.parametrize(
    "pieces",
    [
        (chunk("one two"), chunk(finish="stop", usage=USAGE)),
        (chunk("one two"), chunk(finish="stop"), chunk(usage=USAGE)),
        (chunk("one two"), chunk(finish="stop")),
        (chunk("one two", usage=USAGE), chunk(finish="stop")),
    ],
    ids=["with the finish", "after it", "never", "before it"],
)
@pytest.mark.parametrize("usage_wanted", [False, True])
def test_a_stream_tells_its_charge_last(pieces: tuple[bytes, ...], *, usage_wanted: bool) -> None:
    """Wherever the upstream told usage, and whether or not the client asked for usage in the other way as well."""

    async def scenario() -> ExchangeWorld:
        world = asked(ExchangeWorld(stream(*pieces, DONE), stream=True, usage_wanted=usage_wanted))
        await world.run()
        return world

    world = run(scenario)
    *_, last, done = world.client.received.split(b"\n\n")[:-1]
    assert done == b"data: [DONE]"
    usage = json.loads(last.removeprefix(b"data: "), parse_float=Decimal)["usage"]
    assert cost_of(usage) == world.charged().charge_nano == usage["total_tokens"]
    assert world.client.received.count(b'"cost"') == 1


@pytest.mark.parametrize("is_stream", [False, True], ids=["json", "stream"])
def test_a_charge_is_told_to_nobody_who_did_not_ask(*, is_stream: bool) -> None:
    """Asking for usage is not asking for the charge; the bytes are the provider's."""
    pieces = [chunk("hi"), chunk(finish="stop", usage=USAGE), DONE] if is_stream else [ANSWER]

    async def scenario() -> ExchangeWorld:
        answer = Response(pieces, headers=STREAM_HEAD if is_stream else JSON_HEAD)
        world = ExchangeWorld(answer, stream=is_stream, usage_wanted=True)
        await world.run()
        return world

    assert run(scenario).client.received == b"".join(pieces)


def test_an_event_holds_no_text_that_an_upstream_put_into_its_usage() -> None:
    """The figures go into the ledger, the prompt does not."""
    usage = b'{"prompt_tokens":10,"completion_tokens":2,"note":"hello there","hello_there":1}'

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([ANSWER.partition(b'"usage":')[0] + b'"usage":' + usage + b"}"]))
        await world.run()
        return world

    world = run(scenario)
    assert world.charged().usage_raw == '{"prompt_tokens":10,"completion_tokens":2}'
    assert not [one for one in world.ledger.store.log if b"hello" in one.state]


COST = structs.replace(
    PRICE,
    output_nano_per_million=3_000_000,
    windows=(Window(weekdays=tuple(range(7)), from_minute=0, to_minute=1440, factor_ppm=2_000_000),),
    service_tiers={"priority": 5_000_000},
)


def costly(number: int) -> DeploymentView:
    return structs.replace(deployment(number), cost=COST)


def test_an_attempt_has_what_the_provider_takes_for_it() -> None:
    """Ten tokens at one and two at three, twice as much at this hour; the one that failed used nothing. The customer's price is its own."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([b"{}"], status=500), Response([ANSWER]))
        await world.run(costly(1), costly(2))
        return world

    charged = run(scenario).charged()
    assert [one.cost_nano for one in charged.attempts] == [None, 32]
    assert charged.charge_nano == 12


def test_an_attempt_that_broke_off_costs_what_was_seen_of_it() -> None:
    """Counted here, as its charge is: the prompt's tokens and one word."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(stream(chunk("hi"), UpstreamClosed("gone")), stream=True)
        await world.run(costly(1))
        return world

    (attempt,) = run(scenario).charged().attempts
    assert (attempt.outcome, attempt.cost_nano) == ("truncated", 2 * (PROMPT_TOKENS + 3))


def test_a_provider_takes_the_price_of_the_tier_that_it_served() -> None:
    """Also where the customer's price knows no tiers."""
    answer = ANSWER.replace(b'"id":"c1"', b'"id":"c1","service_tier":"priority"')

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([answer]))
        await world.run(costly(1))
        return world

    charged = run(scenario).charged()
    assert (charged.attempts[0].cost_nano, charged.charge_nano) == (5 * 32, 12)


def test_what_is_not_known_to_cost_anything_has_no_cost() -> None:
    """None is not zero."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([ANSWER]))
        await world.run()
        return world

    assert run(scenario).charged().attempts[0].cost_nano is None
