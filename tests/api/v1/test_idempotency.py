"""`Idempotency-Key` through running gateways: one charge for a key, the same answer again, and no key that hangs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import httpx
import openai
import psycopg
import pytest

from domain.event import Event
from domain.keys.events import ApiKeyIssued
from domain.ledger.events import RequestAdmitted, UsageCharged
from domain.ledger.idempotency import IdempotencyOutcomeRecorded
from domain.topics import REGISTRY
from tests.api.v1.gateway_world import World, ask, free_port
from tests.waiting import until

MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Once, please."}]
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def key() -> str:
    return f"order-{uuid4()}"


@pytest.fixture
def sdk(world: World) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{world.url}/v1", api_key=world.seed.api_key, max_retries=0, timeout=60
    ) as client:
        yield client


@pytest.fixture
def account(world: World) -> str:
    """The secret of an account of this test's own."""
    return world.new_key("keyed", amount_nano=10**9)


class OtherGateway:
    """A second process of the same installation, without Redis; to be killed."""

    def __init__(self, world: World, scratch: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        settings = world.settings
        environment = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": NO_REDIS,
            "TOKENOK_MASTER_KEY": settings.tokenok_master_key,
            "ALLOW_PRIVATE_UPSTREAMS": settings.allow_private_upstreams,
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with (scratch / "other.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway_main", "--port", str(port)],
                env=inherited | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._is_ready)

    def ask(self, body: object, *, secret: str, key: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": key}
        return self.client.post("/v1/chat/completions", content=json.dumps(body).encode(), headers=headers)

    def kill(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def other(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherGateway]:
    gateway = OtherGateway(world, tmp_path_factory.mktemp("other"))
    yield gateway
    gateway.kill()


@pytest.fixture
def doomed(world: World, tmp_path: Path) -> Iterator[OtherGateway]:
    gateway = OtherGateway(world, tmp_path)
    yield gateway
    gateway.kill()


def facts(world: World, secret: str) -> list[Event]:
    """Everything in the log about requests of the account with this key."""
    account_id = account_of(world, secret)
    log = world.ports.store.read_log(after_position=0, limit=100_000)
    decoded = [
        REGISTRY.decode(one.topic, one.state)
        for one in log
        if one.topic.startswith(("lease.usage", "lease.request", "idempotency."))
    ]
    requests = {
        one.request_id for one in decoded if isinstance(one, RequestAdmitted) and one.account_id == account_id
    }
    return [one for one in decoded if getattr(one, "request_id", None) in requests]


def account_of(world: World, secret: str) -> UUID:
    digest = world.ports.hasher.digest(secret.encode()).hex()
    control = world.ports.store.read_control(after_position=0, limit=100_000)
    issued = [REGISTRY.decode(one.topic, one.state) for one in control if one.topic == ApiKeyIssued.TOPIC]
    (found,) = [one for one in issued if isinstance(one, ApiKeyIssued) and one.secret_hash == digest]
    return found.account_id


def outcomes(world: World, secret: str) -> list[str]:
    return [one.outcome for one in facts(world, secret) if isinstance(one, IdempotencyOutcomeRecorded)]


def charges(world: World, secret: str) -> int:
    return sum(isinstance(one, UsageCharged) for one in facts(world, secret))


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_the_same_request_is_answered_again_and_charged_once(
    world: World, account: str, key: str, *, stream: bool
) -> None:
    """To the byte, with the first one's request id; the head says that it is a repetition."""
    first, second = (
        world.chat(ask(stream=stream, temperature=1), key=account, **{"idempotency-key": key})
        for _ in range(2)
    )
    assert first.status_code == second.status_code == 200, second.text
    assert first.content == second.content
    assert first.headers["x-request-id"] == second.headers["x-request-id"]
    assert first.headers["content-type"] == second.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert charges(world, account) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_the_sdk_reads_a_repeated_answer_like_the_first(
    sdk: openai.OpenAI, key: str, *, stream: bool
) -> None:
    """Chunk by chunk in a stream; the same ids, the same text."""

    def answer() -> list[str]:
        headers = {"Idempotency-Key": key}
        if not stream:
            one = sdk.chat.completions.create(model="demo-fast", messages=MESSAGES, extra_headers=headers)
            return [one.to_json()]
        chunks = sdk.chat.completions.create(
            model="demo-fast", messages=MESSAGES, stream=True, extra_headers=headers
        )
        return [chunk.to_json() for chunk in chunks]

    first = answer()
    assert answer() == first


@contextmanager
def losing_proxy(url: str) -> Iterator[str]:
    """The address of a proxy that loses the first answer after it has come: the connection ends without a byte."""
    answers = count()

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            names = ("authorization", "content-type", "idempotency-key")
            headers = {name: self.headers[name] for name in names}
            answer = httpx.post(url + self.path, content=body, headers=headers, timeout=60, trust_env=False)
            if next(answers):
                self.send_response(answer.status_code)
                for name in ("content-type", "content-length", "idempotent-replayed"):
                    self.send_header(name, answer.headers[name])
                self.end_headers()
                self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class says so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_sdks_own_retry_is_not_charged_again(world: World, account: str, key: str) -> None:
    """The answer got lost on the way; the SDK sends the same request with the same key by itself."""
    with (
        losing_proxy(world.url) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key=account, max_retries=1, timeout=60) as client,
    ):
        raw = client.chat.completions.with_raw_response.create(
            model="demo-fast", messages=MESSAGES, extra_headers={"Idempotency-Key": key}
        )
    assert raw.parse().choices[0].message.content
    assert raw.headers["idempotent-replayed"] == "true"
    assert charges(world, account) == 1


def test_another_gateway_answers_again(world: World, account: str, key: str, other: OtherGateway) -> None:
    """The answer is not kept in the process that served it, and Redis has no part in it."""
    first = world.chat(ask(), key=account, **{"idempotency-key": key})
    second = other.ask(ask(), secret=account, key=key)
    assert second.status_code == 200, second.text
    assert second.content == first.content
    assert charges(world, account) == 1


def test_another_body_or_endpoint_under_the_key_is_refused(world: World, account: str, key: str) -> None:
    """422 before anything is held; the SDKs do not try that again by themselves."""
    given = {"idempotency-key": key}
    assert world.chat(ask(), key=account, **given).status_code == 200
    other = world.chat(ask(max_tokens=39), key=account, **given)
    headers = {"authorization": f"Bearer {account}"} | given
    elsewhere = world.client.post("/v1/completions", content=json.dumps(ask()).encode(), headers=headers)
    for answer in (other, elsewhere):
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert charges(world, account) == 1


def test_keys_of_two_accounts_do_not_meet(world: World, account: str, key: str) -> None:
    """The same key and body of another account is another request."""
    stranger = world.new_key("stranger", amount_nano=10**9)
    answers = [world.chat(ask(), key=one, **{"idempotency-key": key}) for one in (account, stranger)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].headers["x-request-id"] != answers[1].headers["x-request-id"]
    assert charges(world, account) == charges(world, stranger) == 1


@pytest.mark.parametrize("bad", [b"", b"a b", "\u00fc".encode(), b"x" * 256])
def test_a_key_that_cannot_be_used_is_refused(world: World, account: str, bad: bytes) -> None:
    """1 to 255 printable ASCII characters."""
    headers = [(b"authorization", b"Bearer " + account.encode()), (b"idempotency-key", bad)]
    answer = world.client.post("/v1/chat/completions", content=json.dumps(ask()).encode(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Idempotency-Key")


def test_a_key_that_is_sent_twice_is_none(world: World, account: str) -> None:
    """Who would say which counts?"""
    headers = [("authorization", f"Bearer {account}"), ("idempotency-key", "a"), ("idempotency-key", "b")]
    answer = world.client.post("/v1/chat/completions", content=json.dumps(ask()).encode(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Idempotency-Key")


def test_a_form_takes_no_key(world: World, account: str, key: str) -> None:
    """It is said, instead of charging twice in silence."""
    headers = {"authorization": f"Bearer {account}", "idempotency-key": key}
    answer = world.client.post(
        "/v1/audio/transcriptions", files={"file": b"x"}, data={"model": "demo"}, headers=headers
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_of_many_at_once_one_is_served(world: World, account: str, key: str, other: OtherGateway) -> None:
    """On two gateways: the others are told to come again, and then hear the one answer."""
    slow = ask(script={"first_byte_ms": 300})

    def one(number: int) -> httpx.Response:
        if number % 2:
            return other.ask(slow, secret=account, key=key)
        return world.chat(slow, key=account, **{"idempotency-key": key})

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(one, range(6)))
    served = [answer for answer in answers if answer.status_code == 200]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(served) + len(waiting) == 6
    assert {answer.json()["error"]["code"] for answer in waiting} <= {"idempotency_in_progress"}
    assert all(answer.headers["retry-after"] == "1" for answer in waiting)
    assert len({answer.content for answer in [*served, one(0), one(1)]}) == 1
    assert charges(world, account) == 1


def test_what_failed_may_be_tried_again(world: World, account: str, key: str) -> None:
    """A failure costs nothing and is not kept: the same key reaches the provider again."""
    failed = [world.chat(ask("alone/status_500"), key=account, **{"idempotency-key": key}) for _ in range(2)]
    assert {answer.status_code for answer in failed} <= {502, 503}
    assert failed[0].headers["x-request-id"] != failed[1].headers["x-request-id"]
    assert outcomes(world, account) == ["released", "released"]


def test_a_refusal_for_want_of_credit_frees_the_key(world: World, key: str) -> None:
    """Nothing was held, so nothing was claimed."""
    poor = world.new_key("poor", amount_nano=1)
    refused = [world.chat(ask(), key=poor, **{"idempotency-key": key}) for _ in range(2)]
    assert [answer.status_code for answer in refused] == [402, 402]


def test_who_left_hears_the_answer_when_it_comes_back(world: World, account: str, key: str) -> None:
    """The provider is read on for a while after a client has left; what was charged is kept."""
    body = ask(stream=True, script={"chunk_ms": 20, "tokens": 20})
    headers = {"authorization": f"Bearer {account}", "idempotency-key": key}
    with world.client.stream(
        "POST", "/v1/chat/completions", content=json.dumps(body).encode(), headers=headers
    ) as answer:
        assert answer.status_code == 200
    until(lambda: world.chat(body, key=account, **{"idempotency-key": key}).status_code == 200)
    again = world.chat(body, key=account, **{"idempotency-key": key})
    assert again.headers["x-request-id"] == answer.headers["x-request-id"]
    assert again.text.endswith("data: [DONE]\n\n")
    assert charges(world, account) == 1


def test_a_killed_gateway_charges_nothing_and_frees_the_key(
    world: World, account: str, key: str, doomed: OtherGateway
) -> None:
    """The retry waits until the dead one's lease is fenced, then is served, once."""
    body = ask(stream=True, script={"chunk_ms": 100})
    headers = {"authorization": f"Bearer {account}", "idempotency-key": key}
    with doomed.client.stream(
        "POST", "/v1/chat/completions", content=json.dumps(body).encode(), headers=headers
    ) as answer:
        pieces = answer.iter_bytes()  # kept: an iterator that is dropped closes the connection
        next(pieces)
        assert world.chat(body, key=account, **{"idempotency-key": key}).status_code == 409
        doomed.kill()
    until(lambda: world.chat(body, key=account, **{"idempotency-key": key}).status_code == 200)
    assert outcomes(world, account) == ["abandoned", "charged"]
    assert charges(world, account) == 1


def test_an_answer_that_is_not_kept_is_not_served_twice(world: World, account: str, key: str) -> None:
    """The refusal names the request that was served and charged; SDKs do not try that again."""
    first = world.chat(ask(), key=account, **{"idempotency-key": key})
    request_id = first.headers["x-request-id"]
    with psycopg.connect(world.settings.database_url) as connection:
        gone = connection.execute("DELETE FROM kept_answers WHERE request_id = %s", (request_id,)).rowcount
    assert gone == 1
    again = world.chat(ask(), key=account, **{"idempotency-key": key})
    assert (again.status_code, again.json()["error"]["code"]) == (410, "idempotency_answer_not_kept")
    assert again.headers["x-tokenok-served-as"] == request_id
    assert request_id in again.json()["error"]["message"]
    assert charges(world, account) == 1


def test_a_very_long_answer_is_served_and_not_kept(world: World, account: str, key: str) -> None:
    """Beyond `IDEMPOTENCY_ANSWER_BYTES_MAX` the outcome is known, and not the words."""
    body = ask(stream=True, max_tokens=4_000, script={"tokens": 4_000})
    first = world.chat(body, key=account, **{"idempotency-key": key})
    assert first.text.endswith("data: [DONE]\n\n")
    assert len(first.content) > 256 * 1024
    again = world.chat(body, key=account, **{"idempotency-key": key})
    assert again.json()["error"]["code"] == "idempotency_answer_not_kept"
    assert charges(world, account) == 1


def test_a_repetition_counts_as_a_request_and_not_as_usage(world: World, key: str) -> None:
    """Free of charge is not free of limits."""
    secret = world.new_key("limited", amount_nano=10**9, rpm=2)
    given = {"idempotency-key": key}
    assert [world.chat(ask(), key=secret, **given).status_code for _ in range(3)] == [200, 200, 429]
