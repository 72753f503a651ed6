"""A provider on this machine that speaks all three dialects: `scene` says what it answers.

`python -m tests.clients.scripted_upstream --port 8099` serves until interrupted, for the runs by hand.
"""

import argparse
import json
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from tests.clients import as_anthropic, as_gemini, as_openai
from tests.clients.scene import BROKEN, TICK, TICK_S, TICKS, Answer, Asked, Json, answer_to

BROKEN_AFTER = 6  #: in every dialect within the text


class Exchange(msgspec.Struct, kw_only=True):
    """One request, and what became of it. `cut`: the asker left before the end."""

    path: str
    body: Json
    asked: Asked
    sent_events: int = 0
    cut: bool = False


class ScriptedUpstream(ThreadingHTTPServer):
    """Keeps every exchange, in the order of arrival."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.exchanges: list[Exchange] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def scripted_upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, and writes answers whole or as events."""

    protocol_version = "HTTP/1.1"
    server: ScriptedUpstream

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: tests look at the exchanges."""

    def do_GET(self) -> None:
        """What became of the requests so far, for those who cannot look inside."""
        told = [
            {"path": one.path, "sent_events": one.sent_events, "cut": one.cut}
            for one in self.server.exchanges
        ]
        self._whole(200, {"exchanges": told})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.partition("?")[0]
        asked = _read(path, body)
        exchange = Exchange(path=path, body=body, asked=asked)
        self.server.exchanges.append(exchange)
        if asked.refused is not None:
            self._whole(asked.refused, _refusal(path, asked.refused), retry_after_s=1)
        elif asked.stream:
            self._events(exchange)
        elif asked.slow and select.select([self.connection], [], [], TICKS * TICK_S)[0]:
            exchange.cut = self.close_connection = True  # nothing more was to be read but the end
        else:
            self._whole(200, _document(path, asked, answer_to(asked)))

    def _whole(self, status: int, document: Json, *, retry_after_s: int | None = None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if retry_after_s is not None:
            self.send_header("retry-after", str(retry_after_s))
        self.end_headers()
        self.wfile.write(content)

    def _events(self, exchange: Exchange) -> None:
        asked = exchange.asked
        answer = Answer(text=TICK * TICKS) if asked.slow else answer_to(asked)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for event in _event_documents(exchange.path, asked, answer):
                if asked.slow:
                    time.sleep(TICK_S)  # a model's pace
                self._chunk(
                    _encoded(event, named="/messages" in exchange.path or "/responses" in exchange.path)
                )
                exchange.sent_events += 1
                if BROKEN in asked.text and exchange.sent_events == BROKEN_AFTER:
                    self.close_connection = True
                    return
            self._chunk(b"")
        except OSError:
            exchange.cut = True
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


def _encoded(event: Json | str, *, named: bool) -> bytes:
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    name = f"event: {event['type']}\n" if named else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


def _read(path: str, body: Json) -> Asked:
    if path.endswith("/chat/completions"):
        return as_openai.read_chat(body)
    if path.endswith("/responses"):
        return as_openai.read_response(body)
    if path.endswith("/messages"):
        return as_anthropic.read(body)
    model, _, verb = path.rpartition("/")[2].partition(":")
    return as_gemini.read(body, model=model, stream=verb == "streamGenerateContent")


def _document(path: str, asked: Asked, answer: Answer) -> Json:
    if path.endswith("/chat/completions"):
        return as_openai.chat(asked, answer)
    if path.endswith("/responses"):
        return as_openai.response(asked, answer)
    if path.endswith("/messages"):
        return as_anthropic.message(asked, answer)
    return as_gemini.response(asked, answer)


def _event_documents(path: str, asked: Asked, answer: Answer) -> Iterator[Json | str]:
    if path.endswith("/chat/completions"):
        return as_openai.chat_events(asked, answer)
    if path.endswith("/responses"):
        return as_openai.response_events(asked, answer)
    if path.endswith("/messages"):
        return as_anthropic.events(asked, answer)
    return as_gemini.events(asked, answer)


def _refusal(path: str, status: int) -> Json:
    if path.endswith("/messages"):
        return as_anthropic.refusal(status)
    if "/models/" in path:
        return as_gemini.refusal(status)
    return as_openai.refusal(status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8099)
    with ScriptedUpstream(parser.parse_args().port) as serving:
        serving.serve_forever()
