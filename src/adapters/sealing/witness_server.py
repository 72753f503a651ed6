"""A witness as a server: one POST route, and a directory with what was signed last of each log."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from adapters.sealing.files import LocalFiles
from application.sealing.submission import BODY_BYTES_MAX, PATH
from application.sealing.witness import Reply, Witness

_READ_S = 10.0


class WitnessDirectory:
    """Implements `application.sealing.witness.WitnessState`: a file for each log."""

    def __init__(self, root: Path) -> None:
        self._files = LocalFiles(root)

    def load(self, origin: str) -> bytes | None:
        return self._files.read(_name(origin))

    def save(self, origin: str, note: bytes) -> None:
        self._files.write({_name(origin): note})


class WitnessServer(ThreadingHTTPServer):
    """Serves until `shutdown`. Put TLS before it."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        super().__init__(address, _Handler)
        self.witness = witness


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _READ_S
    server: WitnessServer

    def do_POST(self) -> None:  # the name is the library's
        length = self.headers.get("content-length", "")
        if not self.path.endswith(PATH):
            self._answer(Reply(404, b"there is nothing here\n"), is_last=True)
        elif not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self._answer(Reply(413, b"the body has no length, or is too long\n"), is_last=True)
        else:
            self._answer(self._judged(self.rfile.read(int(length))))

    def _judged(self, body: bytes) -> Reply:
        try:
            return self.server.witness.add_checkpoint(body)
        except OSError:
            return Reply(503, b"what was signed cannot be kept now\n")

    def _answer(self, reply: Reply, *, is_last: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.media_type)
        self.send_header("content-length", str(len(reply.body)))
        if is_last:  # its body was not read
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the library's
        """Nothing: what is signed is told by its file."""


def _name(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()
