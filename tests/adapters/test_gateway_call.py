"""A request through the gateway for an operator who tries whether everything works."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from adapters.gateway_call import GatewayCall
from domain.secret import Secret

SAID: dict[str, tuple[int, Any]] = {
    "good": (200, {"choices": [{"message": {"content": "Hello."}}]}),
    "poor": (402, {"error": {"message": "not enough credit"}}),
    "odd": (200, ["what"]),
}


ASKED: dict[str, list[str]] = {}


class Answers(BaseHTTPRequestHandler):
    """Says what the model's name asks for, and repeats which key it was given."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, document = SAID[asked["model"]] if asked["model"] in SAID else self.at_last(asked["model"])
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", self.headers["authorization"])
        self.send_header("x-tokenok-charge", "0.002")
        self.end_headers()
        self.wfile.write(body)

    def at_last(self, model: str) -> tuple[int, Any]:
        """What is new is known when it is asked for the second time; what is wrong never is."""
        asked = ASKED.setdefault(model, [])
        asked.append(model)
        return SAID["good"] if model == "new" and len(asked) > 1 else (401, {"error": {"message": "no"}})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's own name
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_tells_what_the_gateway_said_and_charged(address: str) -> None:
    """With the key as a customer's program sends it; a refusal is told in its own words, nonsense as nothing."""
    call = GatewayCall(address)
    good = call(Secret("tk_live_1"), "good")
    assert (good.works, good.said, good.charge, good.request_id) == (
        True,
        "Hello.",
        "0.002",
        "Bearer tk_live_1",
    )
    poor = call(Secret("x"), "poor")
    assert (poor.works, poor.status, poor.said) == (False, 402, "not enough credit")
    assert call(Secret("x"), "odd").said == ""


def test_that_nobody_answers_is_an_answer() -> None:
    """And a key that no header can hold is one too."""
    call = GatewayCall("http://127.0.0.1:1")
    assert call(Secret("x"), "good").status == 0
    assert call(Secret("ключ"), "good").status == 0


def test_what_was_made_a_moment_ago_is_asked_for_again(address: str) -> None:
    """Gateways follow the log. What is wrong is told as wrong after some tries."""
    call = GatewayCall(address)
    assert call(Secret("tk_live_1"), "new").works
    assert call(Secret("tk_live_1"), "wrong").status == 401
    assert len(ASKED["wrong"]) > 2
