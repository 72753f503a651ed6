"""HTTP as the sandbox speaks it when nothing is scripted: order, limits, refusals."""

import contextlib
import json
import socket
import time
from typing import Any

import pytest

from tests.sandbox.conftest import QUESTION, Running
from tests.sandbox.rawclient import WAIT_S, Answer, connect, read_one, read_to_end, request_bytes

CHAT = "/v1/chat/completions"


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "sandbox-fast", "messages": QUESTION, **fields}).encode()


def scripted(**script: Any) -> dict[str, Any]:
    return {"metadata": {"sandbox": json.dumps(script)}}


def test_a_connection_serves_one_request_after_another(shared: Running) -> None:
    """Kept alive without being asked; each answer has an id of its own and otherwise the same bytes."""
    with connect(shared.address) as sock:
        answers = []
        for _ in range(3):
            sock.sendall(request_bytes("POST", CHAT, body(), close=False))
            answers.append(Answer(read_one(sock)).json)
    assert len({made["id"] for made in answers}) == 3
    assert len({json.dumps(made["choices"]) for made in answers}) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_a_prepared_answer_is_the_one_made_step_by_step(shared: Running, stream: bool, asked: bool) -> None:
    """The fast path sends the same objects under a new id and the time of now, and leaves the same journal."""
    fields: dict[str, Any] = {"stream": stream, "stream_options": {"include_usage": asked}, "max_tokens": 20}
    stepwise = shared.chat(script={"first_byte_ms": 0}, **fields)
    ref = shared.ref()
    begin_s = int(time.time())
    prepared = [shared.send("POST", CHAT, body(metadata={"ref": ref}, **fields), keep=True) for _ in range(3)]
    end_s = int(time.time())
    expected = objects(stepwise, stream=stream)
    for answer in prepared:
        found = objects(answer, stream=stream)
        assert answer.header("connection") is None
        assert {begin_s <= made["created"] <= end_s for made in found} == {True}
        assert {f"chatcmpl-{answer.header('x-request-id')}".replace("req_", "")} == {
            made["id"] for made in found
        }
        assert [without_stamp(made) for made in found] == [without_stamp(made) for made in expected]
    lines = [line for line in shared.journal() if line["ref"] == ref]
    assert [line["event"] for line in lines] == ["accepted", "served"] * 3
    assert len({line["id"] for line in lines}) == 3
    compared = ("status", "complete", "usage", "reported", "tokens_sent")
    assert {json.dumps([line[name] for name in compared]) for line in lines[1::2]} == {
        json.dumps([stepwise.journal["served"][name] for name in compared])
    }


def objects(answer: Answer, *, stream: bool) -> list[dict[str, Any]]:
    answer.stream = stream
    return answer.chunks if stream else [answer.json]


def without_stamp(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name not in ("id", "created")}


def test_pipelined_requests_are_answered_in_order(shared: Running) -> None:
    """A slow answer is not overtaken by the fast ones behind it; two hundred wait their turn."""
    limits = [1 + number % 50 for number in range(200)]
    slow = request_bytes("POST", CHAT, body(max_tokens=60, **scripted(first_byte_ms=50)), close=False)
    rest = [request_bytes("POST", CHAT, body(max_tokens=limit), close=False) for limit in limits]
    with connect(shared.address) as sock:
        sock.sendall(slow + b"".join(rest))
        seen = [Answer(read_one(sock)).json["usage"]["completion_tokens"] for _ in range(201)]
    whole = shared.chat().json["usage"]["completion_tokens"]
    assert seen == [min(60, whole), *(min(limit, whole) for limit in limits)]


def test_a_client_that_only_writes_is_held_back(shared: Running) -> None:
    """Requests behind a slow one are not taken in without end; once it is over, all that came are answered."""
    slow = request_bytes("POST", CHAT, body(**scripted(first_byte_ms=1_500)), close=False)
    behind = request_bytes("GET", "/v1/models/sandbox-fast", headers={"x-pad": "p" * 60_000}, close=False)
    with connect(shared.address) as sock:
        sock.sendall(slow)
        sock.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                sent += sock.send(behind[sent % len(behind) :])
        assert 64 * len(behind) < sent < 100_000_000
        sock.settimeout(WAIT_S)
        answers = [Answer(read_one(sock)).json for _ in range(1 + sent // len(behind))]
    assert answers[0]["object"] == "chat.completion"
    assert {made["id"] for made in answers[1:]} == {"sandbox-fast"}


def test_an_offered_upgrade_is_ignored(shared: Running) -> None:
    """Some clients offer HTTP/2 on every first request; the connection stays HTTP/1.1."""
    offer = {
        "connection": "Upgrade, HTTP2-Settings",
        "upgrade": "h2c",
        "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }
    asked = [
        request_bytes("GET", "/v1/models", headers=headers, close=False) for headers in (offer, offer, None)
    ]
    with connect(shared.address) as sock:
        for packet in (*asked, b"".join(asked)):
            sock.sendall(packet)
        assert [Answer(read_one(sock)).json["object"] for _ in range(6)] == ["list"] * 6


def test_a_request_may_arrive_byte_by_byte(shared: Running) -> None:
    """Boundaries of packets mean nothing."""
    with connect(shared.address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes("POST", CHAT, body()):
            sock.sendall(bytes([byte]))
        assert Answer(read_to_end(sock)[0]).status == 200


def test_a_stream_waits_for_its_reader(shared: Running) -> None:
    """A 20 MB answer is not put into memory for a client that does not read; it is whole once it does."""
    ref = shared.ref()
    asked = body(stream=True, metadata={"ref": ref, "sandbox": json.dumps({"tokens": 80_000})})
    with connect(shared.address) as sock:
        sock.sendall(request_bytes("POST", CHAT, asked))
        begun = sock.recv(100)
        for _ in range(20):
            shared.chat()
        assert set(shared.lines(ref)) == {"accepted"}
        answer = Answer(begun + read_to_end(sock)[0], stream=True)
    assert answer.pieces == 80_000
    assert answer.done
    assert shared.lines(ref)["served"]["complete"] is True


def test_a_client_that_leaves_is_noticed(shared: Running) -> None:
    """The answer is given up, and the journal says how far it came."""
    ref = shared.ref()
    asked = body(stream=True, metadata={"ref": ref, "sandbox": json.dumps({"tokens": 50, "chunk_ms": 100})})
    with connect(shared.address) as sock:
        sock.sendall(request_bytes("POST", CHAT, asked))
        sock.recv(1)
    while "served" not in (lines := shared.lines(ref)):
        pass
    assert lines["served"]["complete"] is False
    assert lines["served"]["tokens_sent"] < 50


def test_an_old_client_gets_a_stream_without_chunks(shared: Running) -> None:
    """HTTP/1.0 knows no chunked coding: the body ends with the connection."""
    asked = request_bytes("POST", CHAT, body(stream=True), close=False).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with connect(shared.address) as sock:
        sock.sendall(asked)
        answer = Answer(read_to_end(sock)[0], stream=True)
    assert answer.header("transfer-encoding") is None
    assert answer.done


def test_a_client_that_waits_for_100_continue_gets_it(shared: Running) -> None:
    """curl does so before bodies above a megabyte."""
    head, _, content = request_bytes("POST", CHAT, body(), headers={"expect": "100-continue"}).partition(
        b"\r\n\r\n"
    )
    with connect(shared.address) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(content)
        assert Answer(read_to_end(sock)[0]).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET /v1/models HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"POST " + CHAT.encode() + b" HTTP/1.1\r\ncontent-length: +5\r\n\r\nhello", 400),
        (b"POST " + CHAT.encode() + b" HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\nx-big: " + b"b" * 200_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    shared: Running, sent: bytes, status: int
) -> None:
    """What follows it has no meaning; the process goes on."""
    with connect(shared.address) as sock:
        sock.sendall(sent)
        raw, _ = read_to_end(sock)
    assert Answer(raw).status == status
    assert shared.chat().status == 200


def test_a_body_above_the_limit_is_refused(shared: Running) -> None:
    """413 at the limit, not after all of it; the client may find the connection reset."""
    with connect(shared.address) as sock:
        sock.sendall(b"POST " + CHAT.encode() + b" HTTP/1.1\r\ncontent-length: 1000000000\r\n\r\n")
        sent = 0
        try:
            while sent < 1_000_000_000:
                sock.sendall(b" " * 1_000_000)
                sent += 1_000_000
        except OSError:
            pass
    assert sent < 200_000_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"model":"sandbox-fast","messages":[{"role":"user","content":"\xff"}]}', "invalid_json"),
        (b'{"x":' + b"[" * 100_000, "invalid_json"),
        (b"{}", "missing_required_parameter"),
        (b"[]", "invalid_type"),
        (body(messages="hello"), "invalid_type"),
        (body(messages=[{"role": "villain", "content": ""}]), "invalid_type"),
        (body(max_tokens="7"), "invalid_type"),
        (body(messages=[]), "empty_array"),
        (body(max_tokens=0), "integer_below_min_value"),
        (body(n=0), "invalid_value"),
        (body(n=128, **scripted(tokens=200_000)), "invalid_value"),
        (body(tool_choice="required"), "invalid_value"),
        (body(metadata={"sandbox": "{"}), "sandbox_bad_script"),
        (body(metadata={"sandbox": {"fault": "status_500"}}), "sandbox_bad_script"),
        (body(**scripted(fault="no_such_fault")), "sandbox_bad_script"),
        (body(**scripted(fault="status", shape="no_such_shape")), "sandbox_bad_script"),
        (body(**scripted(fault="usage_twice")), "sandbox_bad_script"),
        (body(stream=True, **scripted(fault="truncated_json")), "sandbox_bad_script"),
    ],
)
def test_a_bad_body_is_refused_in_openais_words(shared: Running, content: bytes, code: str) -> None:
    """400 with all four keys, never 500; a fault that could not show is refused too."""
    answer = shared.send("POST", CHAT, content)
    assert answer.status == 400
    assert answer.json["error"]["code"] == code
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}


def test_a_large_prompt_is_counted_beside_the_loop(shared: Running) -> None:
    """A megabyte of blanks, which tiktoken cannot count in one piece, gets an ordinary answer."""
    answer = shared.chat(messages=[{"role": "user", "content": " " * 1_000_000}])
    assert answer.status == 200
    assert answer.json["usage"]["prompt_tokens"] > 1_000
    refused = shared.send(
        "POST", CHAT, body(model="none", messages=[{"role": "user", "content": "x" * 300_000}])
    )
    assert refused.json["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "unknown_url"),
        ("GET", CHAT, 404, "unknown_url"),
        ("POST", "/v1/responses", 404, "unknown_url"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/_sandbox/nothing", 404, "unknown_url"),
        ("GET", "/_sandbox/journal?after=x", 400, "invalid_value"),
    ],
)
def test_an_unknown_path_is_refused(shared: Running, method: str, path: str, status: int, code: str) -> None:
    """In the same envelope."""
    answer = shared.send(method, path)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


def test_names_with_slashes_arrive_percent_encoded(shared: Running) -> None:
    """As the SDKs send them, and plain."""
    for path in ("/v1/models/sandbox%2Fnested-name", "/v1/models/sandbox/nested-name"):
        assert shared.send("GET", path).json["id"] == "sandbox/nested-name"


def test_an_embedding_request_is_checked(shared: Running) -> None:
    """Unknown models, models without embeddings, absurd dimensions, nothing to embed."""

    def code(**fields: Any) -> tuple[int, Any]:
        content = json.dumps({"model": "sandbox-embed", "input": "x", **fields}).encode()
        answer = shared.send("POST", "/v1/embeddings", content)
        return answer.status, answer.json["error"]["code"]

    assert code(model="none") == (404, "model_not_found")
    assert code(model="sandbox-fast") == (404, None)
    assert code(dimensions=0) == (400, "invalid_value")
    assert code(dimensions=10_000_000) == (400, "invalid_value")
    assert code(input=[]) == (400, "empty_array")
    assert code(input=7) == (400, "invalid_type")
    assert code(input=["x"] * 3_000) == (400, "array_above_max_length")


@pytest.mark.parametrize("stream", [False, True])
def test_a_script_sets_length_and_hidden_tokens(shared: Running, stream: bool) -> None:
    """Reasoning is part of the completion and of the limit; cached tokens are at most the prompt."""
    script = {"tokens": 30, "reasoning_tokens": 20, "cached_tokens": 1_000}
    options = {"stream_options": {"include_usage": True}} if stream else {}
    answer = shared.chat(stream=stream, script=script, max_completion_tokens=25, **options)
    (usage,) = answer.usages
    assert usage["completion_tokens"] == 25
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 20
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"]
    assert len(answer.text.split()) == 5


def test_a_script_sets_the_number_of_chunks(shared: Running) -> None:
    """More chunks than tokens make the answer longer; fewer put several tokens into one."""
    many = shared.chat(stream=True, script={"chunks": 100})
    assert (many.pieces, len(many.text.split())) == (100, 100)
    few = shared.chat(stream=True, script={"tokens": 100, "chunks": 7})
    assert (few.pieces, few.text) == (7, many.text)


def test_scripted_delays_are_kept(shared: Running) -> None:
    """At least so long between what the journal accepted and what it served."""
    for stream, script, least_ms in (
        (False, {"first_byte_ms": 80}, 75),
        (True, {"chunk_ms": 20, "tokens": 5}, 120),
    ):
        journal = shared.chat(stream=stream, script=script).journal
        assert journal["served"]["at_us"] - journal["accepted"]["at_us"] >= least_ms * 1_000


def test_a_paced_stream_leaves_in_single_packets(shared: Running) -> None:
    """`chunk_ms: 0`: the same bytes, but no longer in one write."""
    burst = shared.chat(stream=True)
    paced = shared.chat(stream=True, script={"chunk_ms": 0})
    assert paced.text == burst.text
    assert paced.ended
    assert paced.done
