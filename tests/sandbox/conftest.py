"""The sandbox as it runs: a real process, and clients that see its bytes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox import tokens
from tests.sandbox.rawclient import Answer, connect, read_one, read_to_end, request_bytes

QUESTION = [{"role": "user", "content": "What is the plan for today?"}]


class Running:
    """A sandbox process that is ready."""

    def __init__(self, process: "subprocess.Popen[str]", ready_file: Path) -> None:
        ready = json.loads(ready_file.read_text())
        self.process = process
        self.base_url: str = ready["base_url"]
        self.pid: int = ready["pid"]
        parts = urlsplit(self.base_url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.address = (parts.hostname, parts.port)
        self.key: str | None = None
        self._refs = count()

    def ref(self) -> str:
        """A reference that no other request has."""
        return f"ref-{next(self._refs)}"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        keep: bool = False,
    ) -> Answer:
        """One request on a connection of its own, which is read to its end, or kept alive and read to the answer's."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = dict(headers or {})
        if self.key is not None:
            given.setdefault("authorization", f"Bearer {self.key}")
        with connect(self.address) as sock:
            sock.sendall(request_bytes(method, path, content, headers=given, close=not keep))
            raw, reset = (read_one(sock), False) if keep else read_to_end(sock)
        return Answer(raw, reset)

    def chat(self, *, stream: bool = False, script: dict[str, Any] | None = None, **fields: Any) -> Answer:
        """Ask `QUESTION` (or other `messages`); the answer comes with its two journal lines.

        Without a script over a kept connection, so that the prepared answers are seen, else on one that ends.
        """
        metadata = {"ref": self.ref(), **fields.pop("metadata", {})}
        if script is not None:
            metadata["sandbox"] = json.dumps(script)
        body = {
            "model": "sandbox-fast",
            "messages": QUESTION,
            "stream": stream,
            **fields,
            "metadata": metadata,
        }
        answer = self.send("POST", "/v1/chat/completions", body, keep=script is None)
        answer.stream = stream
        answer.journal = self.lines(metadata["ref"])
        return answer

    def lines(self, ref: str) -> dict[str, dict[str, Any]]:
        """The journal lines of one reference by event."""
        lines = self.journal()
        found: dict[str, dict[str, Any]] = {line["event"]: line for line in lines if line["ref"] == ref}
        return found

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.control("GET", f"journal?after={after}&limit=10000")["lines"]
        return lines

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, f"/_sandbox/{path}", body)
        assert answer.status == 200, answer.raw
        return answer.json


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def start_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts sandboxes; every one must end with exit code 0 and have written nothing to its error output."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        ready = tmp_path_factory.mktemp("sandbox") / "ready.json"
        command = [sys.executable, "-m", "sandbox", "--ready-file", str(ready), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        running = Running(process, ready)
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.terminate()
    ends = [(running.process.communicate(timeout=60)[1], running.process.returncode) for running in started]
    assert ends == [("", 0)] * len(started)


@pytest.fixture(scope="session")
def shared(start_sandbox: Start) -> Running:
    """One sandbox for all tests that leave no standing rule behind."""
    return start_sandbox()


@pytest.fixture
def ruled(shared: Running) -> Iterator[Running]:
    """The shared sandbox for a test that sets rules; they are gone afterwards."""
    yield shared
    shared.control("DELETE", "script")


@pytest.fixture(scope="session")
def counter() -> tokens.Tokens:
    """The token counter with the vendored vocabulary."""
    return tokens.load(tokens.default_cache_dir())
