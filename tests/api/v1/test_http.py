"""What HTTP itself asks of the gateway: early refusals, limits told in headers, keep-alives, clients that stop reading."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain.ledger.events import UsageCharged
from tests.api.v1.gateway_world import World, ask
from tests.waiting import until

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
RECEIVE_BYTES = 4 * 1024


@contextmanager
def connected(world: World, *, receive_bytes: int | None = None) -> Iterator[socket.socket]:
    """A plain connection to the gateway; `receive_bytes` makes the kernel take little on our behalf."""
    host, _, port = world.url.removeprefix("http://").partition(":")
    with socket.socket() as sock:
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.settimeout(60)
        sock.connect((host, int(port)))
        yield sock


def head(world: World, length: int, *lines: bytes) -> bytes:
    """The head of a chat request whose body has `length` bytes."""
    return b"\r\n".join(
        (
            b"POST /v1/chat/completions HTTP/1.1",
            b"host: x",
            b"authorization: Bearer " + world.seed.api_key.encode(),
            b"content-length: %d" % length,
            *lines,
            b"",
            b"",
        )
    )


def read_until(sock: socket.socket, mark: bytes) -> bytes:
    """What comes, up to and with `mark` at least."""
    seen = b""
    while mark not in seen:
        more = sock.recv(65_536)
        assert more, seen
        seen += more
    return seen


def request_id_of(answer: bytes) -> str:
    lines = answer.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    return next(line.removeprefix("x-request-id: ") for line in lines if line.startswith("x-request-id: "))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/models", "GET"),
        ("POST", "/v1/models/demo", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(world: World, method: str, path: str, allowed: str) -> None:
    """405 has an `Allow` header."""
    answer = world.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("length", [1024 * 1024 + 1, 10 * 1024**3, 2**63])
@pytest.mark.parametrize("expect", [False, True], ids=["plain", "expects 100"])
def test_a_body_announced_too_large_is_refused_before_it_is_sent(
    world: World, length: int, *, expect: bool
) -> None:
    """413 from the head alone: not one byte of the body was sent, and none is asked for."""
    with connected(world) as sock:
        sock.sendall(head(world, length, *([b"expect: 100-continue"] if expect else [])))
        answer = read_until(sock, b"request_too_large")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_100_is_told_to_go_on_and_served(world: World) -> None:
    """`Expect: 100-continue` costs a turn and nothing else."""
    body = json.dumps(ask()).encode()
    with connected(world) as sock:
        sock.sendall(head(world, len(body), b"expect: 100-continue"))
        assert read_until(sock, b"\r\n\r\n") == CONTINUE
        sock.sendall(body)
        answer = read_until(sock, b'"usage"')
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert world.charge(request_id_of(answer)).result == "completed"


def test_a_client_that_waits_for_100_without_a_key_is_refused_at_once(world: World) -> None:
    """It need not send a body that nobody would read."""
    with connected(world) as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n"
            b"expect: 100-continue\r\n\r\n"
        )
        assert read_until(sock, b"invalid_api_key").startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("length", [b"+5", b"-1", b"5, 5", b"0x5", b"1_0", b"", b"99999999999999999999999"])
def test_an_odd_length_is_never_a_fault_of_ours(world: World, length: bytes) -> None:
    """400, or the connection is closed."""
    with connected(world) as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-length: "
            + length
            + b"\r\n\r\n"
        )
        sock.shutdown(socket.SHUT_WR)
        answer = sock.recv(65_536)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ")) or answer == b""


def test_a_request_over_its_limit_is_refused_with_everything_a_client_needs(world: World) -> None:
    """429 with `retry-after` and the limits; the answer before it had the limits as well."""
    key = world.new_key("Limited", amount_nano=10**9, rpm=1, tpm=1_000_000)
    served = world.chat(ask(), key=key)
    assert (served.status_code, served.headers["x-ratelimit-limit-requests"]) == (200, "1")
    assert served.headers["x-ratelimit-remaining-requests"] == "0"
    refused = world.chat(ask(), key=key)
    assert refused.status_code == 429, refused.text
    error = refused.json()["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-limit-requests"] == "1"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-reset-requests"].endswith("s")
    assert refused.headers["x-ratelimit-limit-tokens"] == "1000000"
    assert world.events(refused.headers["x-request-id"]) == []


def test_a_silent_stream_is_kept_alive_by_comments(world: World) -> None:
    """`: ping` between the events of a slow answer, which comes whole; it is charged as any other."""
    answer = world.chat(ask(stream=True, max_tokens=3, script={"chunk_ms": 1_300}))
    lines = answer.text.split("\n")
    first = next(index for index, line in enumerate(lines) if line.startswith("data: "))
    assert ": ping" in lines[first:]
    assert ": ping" not in lines[:first]
    assert [line for line in lines if line][-1] == "data: [DONE]"
    assert world.charge(answer.headers["x-request-id"]).result == "completed"


def test_a_client_that_stops_reading_is_given_up_and_charged(world: World) -> None:
    """Its connection stays open, and still the hold ends, for what was seen."""
    script = {"fault": "endless_stream", "size_bytes": 64 * 1024 * 1024}
    body = json.dumps(ask(stream=True, max_tokens=8_000, script=script)).encode()
    with connected(world, receive_bytes=RECEIVE_BYTES) as sock:
        sock.sendall(head(world, len(body)) + body)
        request_id = request_id_of(read_until(sock, b"data: "))
        until(lambda: len(world.events(request_id)) > 1)
    charged = world.charge(request_id)
    assert (charged.result, charged.usage_source) == ("client-left", "estimated")
    assert 0 < charged.charge_nano <= charged.hold_nano


@pytest.mark.parametrize("fault", ["set_cookie", "headers_300"])
def test_nothing_of_an_upstreams_headers_reaches_a_client(world: World, fault: str) -> None:
    """Cookies, CORS and whatever else it sends: the head of an answer is ours."""
    plain = world.chat(ask())
    answer = world.chat(ask(script={"fault": fault}))
    assert set(answer.headers) <= set(plain.headers)


@contextmanager
def trapped() -> Iterator[str]:
    """The authority of a server on this machine that nobody may connect to."""
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        yield f"127.0.0.1:{trap.getsockname()[1]}"
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize(
    "fields",
    [
        {"api_base": "http://%s/v1"},
        {"base_url": "http://%s/v1", "api_key": "sk-x"},
        {"extra_headers": {"host": "%s"}, "extra_body": {"api_base": "http://%s"}},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://%s/a.png"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "file:///%s"}}]}]},
    ],
    ids=["api_base", "base_url", "extra", "image", "file"],
)  # fmt: skip
def test_no_address_in_a_request_is_ever_connected_to(world: World, fields: dict[str, object]) -> None:
    """Neither a body nor a header moves the gateway to another host than the deployment's."""
    with trapped() as authority:
        text = json.dumps(ask() | fields).replace("%s", authority)
        headers = {
            "x-portkey-custom-host": f"http://{authority}",
            "x-forwarded-host": authority,
            "x-api-base": f"http://{authority}",
            "openai-api-base": f"http://{authority}",
        }
        answer = world.chat(text.encode(), **headers)
        assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("fault", ["redirect", "redirect_307"])
def test_a_redirect_is_a_failure_and_free(world: World, fault: str) -> None:
    """Wherever it points to: 502, nothing is charged, and nobody called there."""
    with trapped() as authority:
        location = f"http://{authority}/v1/chat/completions"
        answer = world.chat(ask(script={"fault": fault, "location": location}))
    assert answer.status_code == 502, answer.text
    assert location not in answer.text
    ended = world.ending(answer.headers["x-request-id"])
    assert not isinstance(ended, UsageCharged)
    assert {attempt.status // 100 for attempt in ended.attempts} == {3}


def test_looking_up_a_generation_counts_as_a_request(world: World) -> None:
    """It costs no credit, but a look into the database: nobody has it as often as they like."""
    key = world.new_key("Curious", amount_nano=10**9, rpm=1)
    codes = []
    for _ in range(2):
        answer = world.client.get(
            "/v1/generation",
            params={"id": "0193a5e0-0000-7000-8000-000000000001"},
            headers={"authorization": f"Bearer {key}"},
        )
        codes.append((answer.status_code, answer.json()["error"]["code"]))
    assert codes == [(404, "generation_not_found"), (429, "rate_limit_exceeded")]
