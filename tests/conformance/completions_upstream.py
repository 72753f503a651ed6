"""A provider of completions, the older endpoint, which the sandbox does not have: it answers everything with one word."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # named by the library
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = self.path == "/v1/completions"
        stream = known and bool(request.get("stream"))
        body = _events() if stream else json.dumps(_answer("stop", USAGE)).encode()
        self.send_response(200 if known else 404)
        self.send_header("content-type", "text/event-stream" if stream else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  named by the library
        """Prompts are nobody's business."""


def _answer(reason: str | None, usage: dict[str, int] | None) -> dict[str, Any]:
    choice = {"index": 0, "text": "Indeed.", "finish_reason": reason, "logprobs": None}
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "completions",
        "choices": [choice],
    } | ({"usage": usage} if usage else {})


def _events() -> bytes:
    last = _answer(None, USAGE) | {"choices": []}
    documents = [json.dumps(one) for one in (_answer(None, None), _answer("stop", None), last)]
    return "".join(f"data: {one}\n\n" for one in [*documents, "[DONE]"]).encode()


@contextmanager
def completions_upstream() -> Iterator[str]:
    """Its base URL, while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
