"""What a client says to the gateway, and what comes of it: at the provider, in the ledger, on the bill and in the answer."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.routing.routing_world import PRIMARY, SECONDARY, RoutingWorld, deployment_of
from tests.waiting import until

ANSWER = json.dumps(
    {
        "id": "a",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }
).encode()


def providers(charged: Any) -> list[str]:
    return [one.provider for one in charged.attempts]


def reasons(charged: Any) -> dict[str, str]:
    return {one.provider: one.reason for one in charged.passed_over}


def test_a_client_puts_providers_in_order(world: RoutingWorld) -> None:
    """The second goes first."""
    assert providers(world.served("pair")) == ["alpha"]
    assert providers(world.served("pair", provider={"order": ["beta"]})) == ["beta"]


@pytest.mark.parametrize("wish", [{"only": ["beta"]}, {"ignore": ["alpha"]}])
def test_a_client_leaves_providers_out(world: RoutingWorld, wish: dict[str, object]) -> None:
    """The record says why."""
    charged = world.served("pair", provider=wish)
    assert (providers(charged), reasons(charged)) == (["beta"], {"alpha": "not_wanted"})


def test_nobody_left_is_the_clients_doing(world: RoutingWorld) -> None:
    """400 with the member's name, and nothing is held."""
    answer = world.ask("pair", provider={"only": ["nobody"]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "no_matching_provider", "provider")


def test_without_fallbacks_a_failure_is_the_end(world: RoutingWorld) -> None:
    """With them the next deployment serves."""
    world.tell(PRIMARY, "status_503", times=2)
    assert providers(world.served("pair")) == ["alpha", "beta"]
    assert world.ask("pair", provider={"allow_fallbacks": False}).status_code == 503


@pytest.fixture
def recorder() -> Iterator[tuple[str, list[bytes]]]:
    """A provider that keeps what it is sent: its base URL, and the bodies."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", bodies
        server.shutdown()
        thread.join()


def test_the_members_are_never_sent_on(world: RoutingWorld, recorder: tuple[str, list[bytes]]) -> None:
    """Neither with a value nor as null; everything else is."""
    base_url, bodies = recorder
    world.add_route("recorded", base_url)
    members: list[dict[str, Any]] = [
        {"provider": {"order": ["recorded"], "require_parameters": True}, "models": ["cheap"]},
        {"provider": None, "models": None, "usage": {"include": True}},
        {"metadata": {"provider": "models"}},
    ]
    for one in members:
        assert world.served("recorded", temperature=0.5, **one).alias == "recorded"
    sent = [json.loads(body) for body in bodies]
    assert len(sent) == 3
    assert all(body["temperature"] == 0.5 and body["model"] == "m" for body in sent)
    assert not any({"provider", "models", "usage"} & set(body) for body in sent)
    assert sent[2]["metadata"] == {"provider": "models"}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"provider": {"zdr": True}}, "provider.zdr"),
        ({"provider": {"order": "alpha"}}, "provider.order"),
        ({"models": "cheap"}, "models"),
        ({"usage": {"include": "yes"}}, "usage.include"),
    ],
)
def test_what_is_malformed_is_refused(world: RoutingWorld, members: dict[str, object], param: str) -> None:
    """By name."""
    answer = world.ask("pair", **members)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("stream", [False, True])
def test_the_charge_is_told_in_the_answer(world: RoutingWorld, *, stream: bool) -> None:
    """In the last usage, equal to the one in the ledger; only to a client that asks."""
    answer = world.ask("single", stream=stream, usage={"include": True})
    told = answer.text.split("\n\n")[-3].removeprefix("data: ") if stream else answer.text
    cost = json.loads(told, parse_float=Decimal)["usage"]["cost"]
    assert cost * 10**9 == world.charge(answer.headers["x-request-id"]).charge_nano > 0
    assert '"cost"' not in world.ask("single", stream=stream).text


def test_a_ceiling_is_hard(world: RoutingWorld) -> None:
    """A refusal above it, an answer at it, and the next model if the client names one."""
    answer = world.ask("single", provider={"max_price": {"prompt": 3.99}})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (
        400,
        "max_price_exceeded",
        "provider.max_price",
    )
    assert world.served("single", provider={"max_price": {"prompt": 4, "completion": "8"}}).alias == "single"
    charged = world.served("single", models=["cheap"], provider={"max_price": {"prompt": 1}})
    assert charged.alias == "cheap"


def test_the_next_model_serves_at_its_own_price_within_one_hold(world: RoutingWorld) -> None:
    """The hold covers the dearer; the charge is the served one's."""
    world.tell(PRIMARY, "status_500", times=1)
    charged = world.served("single", models=["cheap"])
    assert [one.deployment_id for one in charged.attempts] == [
        deployment_of(PRIMARY),
        deployment_of(SECONDARY),
    ]
    assert charged.alias == "cheap"
    units = charged.units
    assert charged.charge_nano == units.input * 500 + units.output * 1_000
    dearer = world.served("single")
    assert dearer.alias == "single"
    assert charged.hold_nano >= dearer.hold_nano


def test_another_model_may_take_what_one_finds_too_long(world: RoutingWorld) -> None:
    """Without another one named, a prompt that is too long is the client's to mend."""
    world.tell(PRIMARY, "context_length_400", times=2)
    assert world.ask("single").status_code == 400
    assert world.served("single", models=["cheap"]).alias == "cheap"


def test_a_model_that_nobody_knows_is_refused(world: RoutingWorld) -> None:
    """Silently leaving it out would hide a slip of the pen."""
    answer = world.ask("cheap", models=["no-such-model"])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "models")


def test_a_policy_of_a_key_rules_what_is_listed_and_served(world: RoutingWorld) -> None:
    """Its aliases are those with an allowed deployment; a wish cannot widen it."""
    key = world.new_key("policy", denied_providers=("alpha",))
    until(lambda: world.knows(key))
    listed = world.models(key)
    assert (listed["cheap"], listed["pair"]) == ("beta", "beta")
    assert "single" not in listed
    assert (world.models(world.key)["pair"], world.models(world.key)["single"]) == ("alpha", "alpha")
    charged = world.served("pair", key=key, provider={"order": ["alpha"]})
    assert (providers(charged), reasons(charged)) == (["beta"], {"alpha": "not_allowed"})
    answer = world.ask("single", key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")


def test_a_route_may_say_that_a_long_prompt_is_worth_another_try(world: RoutingWorld) -> None:
    """Where it does not, the next deployment is not asked."""
    world.tell(PRIMARY, "context_length_400", times=2)
    assert world.ask("pair").status_code == 400
    charged = world.served("lenient")
    assert [(one.provider, one.outcome) for one in charged.attempts] == [
        ("alpha", "bad_request"),
        ("beta", "ok"),
    ]


def test_a_bad_request_is_never_worth_another_try(world: RoutingWorld) -> None:
    """Neither for a route nor for another model."""
    world.tell(PRIMARY, "status_422", times=1)
    assert world.ask("lenient", models=["cheap"]).status_code == 400


def test_what_one_model_finds_too_long_is_not_asked_of_the_same_model_again(world: RoutingWorld) -> None:
    """It goes on to the other model, whose price it then pays."""
    world.tell(PRIMARY, "context_length_400", times=1)
    charged = world.served("pair", models=["cheap"])
    assert (providers(charged), charged.alias) == (["alpha", "beta"], "cheap")
    assert charged.charge_nano == charged.units.input * 500 + charged.units.output * 1_000


def test_a_client_may_insist_on_all_that_it_asks_for(
    world: RoutingWorld, recorder: tuple[str, list[bytes]]
) -> None:
    """What a dialect has no word for is dropped otherwise; then nothing is sent."""
    base_url, bodies = recorder
    world.add_route("wordless", base_url, dialect="anthropic")
    answer = world.ask("wordless", seed=7, provider={"require_parameters": True})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_parameter", "seed")
    assert bodies == []
