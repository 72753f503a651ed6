"""Stands in for a gateway: serves on an inherited socket, finishes what it has begun when asked to stop."""

import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/crash":
            os._exit(3)
        if self.path == "/hold":
            # Say that the request is being served, and answer once the stop has been asked for.
            Path(os.environ["STANDIN_HELD"]).touch()
            stopping.wait()
            released.wait(float(os.environ.get("STANDIN_HOLD_S", "0")))
        body = f"{os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True


if os.environ.get("STANDIN_BROKEN") == "gateway":
    sys.exit("the gateway has no idea what to do")
stopping, released = threading.Event(), threading.Event()
server = Server(("", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
server.socket.settimeout(0)  # others accept on it as well: what was announced may be gone when we ask


def stop(*_: object) -> None:
    stopping.set()
    threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, stop)
server.serve_forever()
server.server_close()
