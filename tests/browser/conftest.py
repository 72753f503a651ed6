"""The whole product as it is started, some requests behind it, and a browser in front of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.waiting import until
from tools.console_shots import chromium

READY_S_MAX = 180
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What its ready file says."""
    root = tmp_path_factory.mktemp("browser")
    environ = {
        name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "REDIS_URL"))
    }
    ready_file, log = root / "ready.json", root / "up.log"
    command = [sys.executable, "-m", "cli", "up", "--port", "0", "--data", str(root / "data")]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready_file)],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env=environ,
            process_group=0,
        )
    try:
        yield _used(_ready(process, ready_file, log))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def _ready(process: subprocess.Popen[bytes], ready_file: Path, log: Path) -> dict[str, Any]:
    until(lambda: ready_file.exists() or process.poll() is not None, within_s=READY_S_MAX)
    assert process.poll() is None, log.read_text()
    return dict(json.loads(ready_file.read_bytes()))


def _used(ready: dict[str, Any]) -> dict[str, Any]:
    """With requests of which pages can tell: charged, refused by the provider, and one with a long name."""
    headers = {"authorization": f"Bearer {ready['api_key']}"}
    with httpx.Client(base_url=ready["base_url"], headers=headers, timeout=60, trust_env=False) as client:
        for number in range(12):
            body = {"model": "demo", "messages": [{"role": "user", "content": f"Hello {number}"}]}
            assert client.post("/chat/completions", json=body).is_success
    return ready


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    binary = chromium()
    assert binary is not None, "no Chromium: install it (Debian: apt install chromium), or set CHROMIUM_BIN"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield opened
        opened.close()
