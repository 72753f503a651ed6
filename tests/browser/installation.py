"""The whole product as people start it, `tokenok up`, on free ports and with data of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx

from tests.waiting import until

ROOT: Final = Path(__file__).parents[2]
READY_S_MAX: Final = 180
_INHERITED: Final = ("PATH", "HOME", "LANG", "UV")


@contextmanager
def up(folder: Path, *options: str, **environment: str) -> Iterator[dict[str, Any]]:
    """What its ready file says, and where its data is (`data`), until the end of the block."""
    ready_file, log = folder / "ready.json", folder / "up.log"
    command = [sys.executable, "-m", "cli", "up", "--data", str(folder / "data")]
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready_file), *options],
            cwd=ROOT / "src",
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**inherited, **environment},
            process_group=0,
        )
    try:
        until(lambda: ready_file.exists() or process.poll() is not None, within_s=READY_S_MAX)
        assert process.poll() is None, log.read_text()[-4_000:]
        yield {**json.loads(ready_file.read_bytes()), "data": folder / "data"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


@contextmanager
def sandbox(folder: Path, *, api_key: str, models: Sequence[str] = ()) -> Iterator[str]:
    """The sandbox provider by itself, as a company somewhere would be; its address. It takes no other key, and serves these models too."""
    ready_file, secret = folder / "sandbox.json", folder / "sandbox.key"
    secret.write_text(api_key)
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--ready-file",
        str(ready_file),
        "--api-key-file",
        str(secret),
        *(part for model in models for part in ("--model", model)),
    ]
    with subprocess.Popen(command, cwd=ROOT / "src", stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: ready_file.exists() or process.poll() is not None, within_s=READY_S_MAX)
            yield json.loads(ready_file.read_bytes())["base_url"]
        finally:
            process.terminate()


def two_ports() -> tuple[int, int]:
    """That are free at this moment."""
    one, other = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    with closing(one), closing(other):
        return one.getsockname()[1], other.getsockname()[1]


class Operator:
    """Commands over the API, where a walk is not the operator's own."""

    def __init__(self, ready: dict[str, Any]) -> None:
        origin = ready["base_url"].removesuffix("/v1")
        self._client = httpx.Client(
            base_url=f"{origin}/api/admin",
            headers={"authorization": f"Bearer {ready['operator_token']}"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        return self._told(
            self._client.post(path, json=body, headers={"idempotency-key": os.urandom(16).hex()})
        )

    def ask(self, path: str) -> dict[str, Any]:
        return self._told(self._client.get(path))

    def _told(self, answered: httpx.Response) -> dict[str, Any]:
        assert answered.is_success, answered.text
        found: dict[str, Any] = answered.json()
        return found
