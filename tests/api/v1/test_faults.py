"""Providers that fail: the next one serves, a broken stream says so, and no fault costs more than the hold."""

import json
import socket

import openai
import pytest

from domain.ledger.events import ChargeHeldForReview, RequestReleased
from domain.ledger.lease import REVIEW_FLAG
from tests.api.v1.gateway_world import ABSURD, FALLBACKS, World, ask, decoded
from tests.waiting import until

#: A JSON answer has no first event.
CASES = [
    (fault, stream)
    for fault in FALLBACKS
    for stream in (False, True)
    if stream or fault != "error_event_first"
]


@pytest.mark.parametrize(("fault", "stream"), CASES)
def test_the_second_deployment_serves_when_the_first_fails(world: World, fault: str, *, stream: bool) -> None:
    """Nothing of the failure shows but the count; both attempts are recorded, one charge."""
    answer = world.chat(ask(f"second/{fault}", stream=stream))
    assert answer.status_code == 200, answer.text
    charged = world.charge(answer.headers["x-request-id"])
    assert [attempt.outcome == "ok" for attempt in charged.attempts] == [False, True]
    assert charged.result == "completed"
    assert answer.headers["x-tokenok-model"] == "sandbox-echo"


def test_a_failure_without_another_deployment_is_told_and_free(world: World) -> None:
    """5xx with the envelope; the hold is released with the attempt."""
    answer = world.chat(ask("alone/status_500"))
    assert answer.status_code in (502, 503)
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}
    ended = world.ending(answer.headers["x-request-id"])
    assert isinstance(ended, RequestReleased)
    assert len(ended.attempts) == 1


def test_the_clients_own_mistake_is_passed_on_and_free(world: World) -> None:
    """A provider's 400 stays a 400."""
    answer = world.chat(ask("alone/status_400"))
    assert answer.status_code == 400
    assert isinstance(world.ending(answer.headers["x-request-id"]), RequestReleased)


@pytest.mark.parametrize("fault", ["cut_mid_stream", "error_event_mid_stream"])
def test_a_stream_that_breaks_says_so_and_charges_what_was_seen(world: World, fault: str) -> None:
    """An error event ends it, no `[DONE]`; the charge is estimated."""
    answer = world.chat(ask(f"alone/{fault}", stream=True))
    lines = [line for line in answer.text.split("\n") if line.startswith("data: ")]
    assert answer.status_code == 200
    assert "data: [DONE]" not in lines
    assert "error" in decoded(lines[-1])
    charged = world.charge(answer.headers["x-request-id"])
    assert (charged.result, charged.usage_source) == ("cut", "estimated")
    assert 0 < charged.charge_nano <= charged.hold_nano


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_an_answer_that_drips_is_left_for_another(world: World, *, stream: bool) -> None:
    """It says something all the time, so no silence ends it; its minimum of bytes a second does."""
    answer = world.chat(ask("second/paced", stream=stream, script={"drip_ms": 50}))
    assert answer.status_code == 200, answer.text
    charged = world.charge(answer.headers["x-request-id"])
    assert [attempt.outcome for attempt in charged.attempts] == ["too_slow", "ok"]
    assert (charged.result, answer.headers["x-tokenok-model"]) == ("completed", "sandbox-echo")


def test_a_dripping_answer_without_another_deployment_is_told_and_free(world: World) -> None:
    """As one that did not come in time."""
    answer = world.chat(ask("paced/sandbox-fault-drip", script={"drip_ms": 50}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    ended = world.ending(answer.headers["x-request-id"])
    assert isinstance(ended, RequestReleased)
    assert [attempt.outcome for attempt in ended.attempts] == ["too_slow"]


def test_a_stream_that_becomes_too_slow_says_so_and_charges_what_was_seen(world: World) -> None:
    """An error event ends it; its beginning has reached the client."""
    answer = world.chat(ask("paced/sandbox-fast", stream=True, script={"chunk_ms": 300}))
    lines = [line for line in answer.text.split("\n") if line.startswith("data: ")]
    assert "choices" in decoded(lines[0])
    assert "data: [DONE]" not in lines
    assert "error" in decoded(lines[-1])
    charged = world.charge(answer.headers["x-request-id"])
    assert [attempt.outcome for attempt in charged.attempts] == ["too_slow"]
    assert charged.result == "cut"
    assert 0 < charged.charge_nano <= charged.hold_nano


def test_an_answer_that_keeps_the_minimum_is_left_alone(world: World) -> None:
    """Nothing of the guard shows."""
    charged = world.charge(world.chat(ask("paced/sandbox-fast")).headers["x-request-id"])
    assert [attempt.outcome for attempt in charged.attempts] == ["ok"]


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_missing_usage_is_counted_here(world: World, *, stream: bool) -> None:
    """Estimated, above nothing, within the hold."""
    charged = world.charge(world.chat(ask("alone/usage_missing", stream=stream)).headers["x-request-id"])
    assert charged.usage_source == "estimated"
    assert 0 < charged.charge_nano <= charged.hold_nano


def test_the_sdk_gets_usage_that_the_provider_did_not_report(world: World) -> None:
    """It asked for it: the figures that were charged, in a chunk of their own at the end."""
    with openai.OpenAI(
        base_url=f"{world.url}/v1",
        api_key=world.seed.api_key,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="alone/usage_missing",
            messages=[{"role": "user", "content": "What is the plan for today?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        *answer, last = list(raw.parse())
    charged = world.charge(raw.headers["x-request-id"])
    assert (last.choices, last.id, last.model) == ([], answer[0].id, answer[0].model)
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (
        charged.units.input,
        charged.units.output,
    )
    assert charged.usage_source == "estimated"


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("fault", ABSURD)
def test_absurd_usage_is_never_charged_above_the_hold(world: World, fault: str, *, stream: bool) -> None:
    """Whatever the provider claims, the worst case is the most."""
    request_id = world.chat(ask(f"alone/{fault}", stream=stream)).headers["x-request-id"]
    charged = world.charge(request_id)
    assert 0 < charged.charge_nano <= charged.hold_nano
    assert charged.usage_flags or charged.usage_source == "estimated"
    held = [fact for fact in world.events(request_id) if isinstance(fact, ChargeHeldForReview)]
    assert len(held) == (REVIEW_FLAG in charged.usage_flags), "what cannot be waits for an operator"


@pytest.mark.parametrize("script", [{"chunk_ms": 10}, {"chunk_ms": 500}], ids=["in time", "too slow"])
def test_a_client_that_leaves_is_charged_and_its_hold_is_gone(world: World, script: object) -> None:
    """The provider is read on for the drain time; then what was seen is charged."""
    body = json.dumps(ask("demo-fast", stream=True, script=script)).encode()
    host, _, port = world.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + world.seed.api_key.encode()
            + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
            + body
        )
        seen = b""
        while b"data: " not in seen:
            seen += sock.recv(65536)
    head = seen.partition(b"\r\n\r\n")[0].decode().lower()
    request_id = next(line[14:] for line in head.split("\r\n") if line.startswith("x-request-id: "))
    charged = until(lambda: world.charge(request_id))
    assert charged.result == "client-left"
    assert 0 < charged.charge_nano <= charged.hold_nano
    assert charged.usage_source == ("provider" if script == {"chunk_ms": 10} else "estimated")
