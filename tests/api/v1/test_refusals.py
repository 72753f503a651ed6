"""Whatever is wrong with a request, the client gets the right status, the whole envelope and an id; never a 500."""

import json

import httpx
import pytest

from application.budgets import set_budget
from application.ledger.change_wallet import change_wallet
from application.ledger.wallet_reader import load_wallet
from domain.budgets.events import Enforcement
from domain.fact import SYSTEM
from domain.ledger import claims
from domain.ledger.claims import Claimed
from tests.api.v1.gateway_world import POOR_NANO, SEARCHES, World, ask
from tests.waiting import until

KEYS = {"message", "type", "param", "code"}


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The error of an answer that has the wanted status and code, and what every refusal has."""
    error: dict[str, object] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    assert set(error) >= KEYS
    assert answer.headers["x-request-id"] == answer.headers["request-id"]
    assert answer.headers["content-type"] == "application/json"
    return error


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "Bearer sk-wrong")],
        [("authorization", "Bearer")],
        [("authorization", "Basic abc")],
        [("authorization", "Bearer one"), ("authorization", "Bearer two")],
    ],
    ids=["none", "unknown", "empty", "other scheme", "two"],
)
def test_without_one_good_key_nothing_is_served(world: World, headers: list[tuple[str, str]]) -> None:
    """401, on both kinds of URL."""
    refused(world.client.get("/v1/models", headers=headers), 401, "invalid_api_key")
    refused(world.client.post("/v1/chat/completions", headers=headers, json=ask()), 401, "invalid_api_key")


def test_a_good_key_beside_another_header_is_refused(world: World) -> None:
    """Two Authorization headers: who says which counts?"""
    good = ("authorization", f"Bearer {world.seed.api_key}")
    assert world.client.get("/v1/models", headers=[good]).status_code == 200
    refused(world.client.get("/v1/models", headers=[good, good]), 401, "invalid_api_key")


def test_too_little_credit_is_refused_with_the_numbers(world: World) -> None:
    """402 says what was required and what there is; the request leaves no fact."""
    key = world.new_key("Poor", amount_nano=POOR_NANO)
    answer = world.chat(ask(), key=key)
    error = refused(answer, 402, "insufficient_quota")
    assert error["available_nano"] == POOR_NANO
    assert isinstance(error["required_nano"], int)
    assert error["required_nano"] > POOR_NANO
    assert world.events(answer.headers["x-request-id"]) == []


def test_who_owes_is_refused_with_the_debt(world: World) -> None:
    """402 with a code of its own, and no wait that would help: the payment for what was spent has gone back."""
    account_id = world.ports.ids.new()
    key = world.new_key("Owing", amount_nano=10**12, account_id=account_id)
    assert world.chat(ask(), key=key).status_code == 200
    (lot_id,) = load_wallet(world.ports.store, account_id).wallet.lots
    on = Claimed(account_id=account_id, lot_id=lot_id, claim_id=world.ports.ids.new())
    wallet = change_wallet(
        world.ports.store, account_id, lambda now: claims.take(now, on, amount_nano=10**12, now_us=1)
    )
    assert wallet.owed_nano
    world.ports.call_back(account_id)
    answer = until(lambda: _refused_by(world.chat(ask(), key=key)))
    error = refused(answer, 402, "account_in_debt")
    assert error["owed_nano"] > 0
    assert answer.headers.get("retry-after") is None


def test_a_spent_budget_is_refused_in_the_clients_dialect(world: World) -> None:
    """402 with the numbers, and a wait of a minute at most; a soft budget refuses nothing."""
    account_id = world.ports.ids.new()
    key = world.new_key("Bounded", amount_nano=10**12, account_id=account_id)

    def bounded(amount_nano: int, enforcement: Enforcement) -> None:
        command = set_budget.SetBudget(
            account_id=account_id, amount_nano=amount_nano, window="month", enforcement=enforcement
        )
        set_budget.handle(command, actor=SYSTEM, ports=world.ports)

    bounded(1, "soft")
    bounded(POOR_NANO, "hard")
    answer = until(lambda: _refused_by(world.chat(ask(), key=key)))
    error = refused(answer, 402, "budget_exceeded")
    assert (error["budget_nano"], error["available_nano"], error["spent_nano"]) == (POOR_NANO, POOR_NANO, 0)
    assert isinstance(error["required_nano"], int)
    assert error["required_nano"] > POOR_NANO
    assert answer.headers["retry-after"] == "60"
    assert world.events(answer.headers["x-request-id"]) == []
    messages = world.client.post("/v1/messages", json=ask(), headers={"x-api-key": key})
    assert (messages.status_code, messages.json()["error"]["type"]) == (402, "billing_error")


def _refused_by(answer: httpx.Response) -> httpx.Response | None:
    """None while the gateway has not heard of the budget."""
    return None if answer.status_code == 200 else answer


def test_a_key_serves_its_own_models_only(world: World) -> None:
    """403 for a model that exists, 404 for one that does not."""
    key = world.new_key("Narrow", amount_nano=10**9, models=("demo",))
    refused(world.chat(ask("demo-fast"), key=key), 403, "permission_denied")
    refused(world.chat(ask("no-such-model"), key=key), 404, "model_not_found")
    assert world.chat(ask("demo"), key=key).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/v1/files", 501, "unsupported_url"),
        ("GET", "/v1/batches/b", 501, "unsupported_url"),
        ("GET", "/v1", 404, "unknown_url"),
        ("GET", "/v1/", 404, "unknown_url"),
        ("GET", "/v1/%00%ff/../x", 404, "unknown_url"),
        ("GET", "/v1/models/no/such", 404, "model_not_found"),
        ("GET", "/v1/models/%00%ff", 404, "model_not_found"),
    ],
)
def test_unknown_urls_and_methods(world: World, method: str, path: str, status: int, code: str) -> None:
    """The envelope comes for those as well, whatever bytes the path has."""
    headers = {"authorization": f"Bearer {world.seed.api_key}"}
    refused(world.client.request(method, path, headers=headers), status, code)


def test_a_large_body_and_a_compressed_one_are_refused(world: World) -> None:
    """413 and 415; the gateway serves on."""
    large = ask(messages=[{"role": "user", "content": "x" * 1_100_000}])
    refused(world.chat(large), 413, "request_too_large")
    refused(world.chat(ask(), **{"content-encoding": "gzip"}), 415, "unsupported_encoding")
    assert world.chat(ask()).status_code == 200


def _with(**fields: object) -> bytes:
    return json.dumps(ask(**fields)).encode()  # type: ignore[arg-type]  # wrong types are the point


BAD_BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "nested deep": b'{"model":"demo-fast","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested deep and open": b'{"model":"demo-fast","messages":' + b'{"a":' * 100_000,
    "bad UTF-8": b'{"model":"demo-fast","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "duplicate model": b'{"model":"demo-fast","model":"demo","messages":[]}',
    "duplicate tokens": b'{"model":"demo-fast","max_tokens":1,"max_tokens":4000,"messages":[]}',
    "escaped duplicate": b'{"model":"demo-fast","mod\\u0065l":"demo","messages":[]}',
    "NaN": b'{"model":"demo-fast","max_tokens":NaN,"messages":[]}',
    "NUL in metadata": _with(metadata={"a": "b\0c"}),
    "NUL in user": _with(user="a\0b"),
    "NUL in model": _with(model="demo\0"),
    "lone surrogate": b'{"model":"\\ud800","messages":[]}',
    "model is a number": _with(model=1),
    "model is empty": _with(model=""),
    "no model": b'{"messages":[]}',
    "stream is a string": _with(stream="yes"),
    "usage is a number": _with(stream=True, stream_options={"include_usage": 1}),
    "options are a list": _with(stream=True, stream_options=[]),
    "tokens: negative": _with(max_tokens=-1),
    "tokens: fraction": _with(max_tokens=1.5),
    "tokens: huge": _with(max_tokens=10**30),
    "tokens: infinite": b'{"model":"demo-fast","max_tokens":1e999,"messages":[]}',
    "tokens: text": _with(max_tokens="40"),
    "tokens: boolean": _with(max_tokens=True),
    "n: huge": _with(n=10**30),
    "n: zero": _with(n=0),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_malformed_body_is_the_clients_mistake(world: World, name: str) -> None:
    """4xx with the envelope, before anything is held."""
    answer = world.chat(BAD_BODIES[name])
    assert answer.status_code in (400, 404), answer.text
    refused(answer, answer.status_code, answer.json()["error"]["code"])
    assert world.events(answer.headers["x-request-id"]) == []


@pytest.mark.parametrize(
    "messages",
    [None, 1, "text", [], [1], [None], [{}], {"a": 1}, [{"role": 1, "content": 1}], [[[[]]]]],
    ids=repr,
)
def test_odd_messages_never_break_the_gateway(world: World, messages: object) -> None:
    """Refused here or by the provider, whose refusal is passed on and charges nothing."""
    answer = world.chat(ask(messages=messages))
    assert 200 <= answer.status_code < 500, answer.text
    assert answer.headers["x-request-id"]


SPENDING = {
    "route": "fallback",
    "plugins": [{"id": "web"}],
    "service_tier": "priority",
    "tools": [{"type": "web_search"}],
    "web_search_options": {},
}


@pytest.mark.parametrize("name", SPENDING)
def test_what_makes_a_provider_charge_more_is_refused(world: World, name: str) -> None:
    """400 with the parameter's name; the provider is not asked and nothing is held."""
    answer = world.chat(ask(**{name: SPENDING[name]}))  # type: ignore[arg-type]  # any member
    error = refused(answer, 400, "unsupported_parameter")
    assert error["param"] == name
    assert world.events(answer.headers["x-request-id"]) == []


@pytest.mark.parametrize("name", SPENDING)
def test_a_deployment_may_pass_on_what_its_price_covers(world: World, name: str) -> None:
    """What it names, and only that."""
    answer = world.chat(ask(SEARCHES, **{name: SPENDING[name]}))  # type: ignore[arg-type]  # any member
    if name in ("tools", "web_search_options"):
        assert answer.status_code == 200, answer.text
    else:
        refused(answer, 400, "unsupported_parameter")


def test_the_ordinary_service_tier_costs_nothing_more(world: World) -> None:
    """SDKs send it."""
    assert world.chat(ask(service_tier="auto")).status_code == 200
