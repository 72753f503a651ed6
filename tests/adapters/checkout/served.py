"""A real server on a real socket for a provider's counterpart that we write ourselves."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Answering = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""From method, path with its query, headers in lower case and body."""


@contextmanager
def served(answering: Answering) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        # One answer for each connection: when the server is gone, nothing answers any more.
        protocol_version = "HTTP/1.0"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answered, raw = answering(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _serve  # noqa: N815  # the names of the base class

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
