"""Those who fill a demo: somebody with a token at one part of the API, and how they wait for what comes of it."""

import contextlib
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Self

import httpx

CREDIT: Final = 10**9
DAY_US: Final = 86_400 * 1_000_000


class Caller:
    """Somebody with a token at one part of the API. What is refused is told and passed over."""

    def __init__(self, base_url: str, token: str) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        """What it answers; nothing if it refuses."""
        once = {"idempotency-key": secrets.token_hex(16)}
        answered = self._client.post(path, json=body, headers=once)
        if not answered.is_success:
            sys.stderr.write(f"{path}: {answered.status_code} {answered.text[:300]}\n")
            return {}
        found: dict[str, Any] = answered.json()
        return found

    def ask(self, path: str) -> dict[str, Any]:
        """What it tells."""
        found: dict[str, Any] = self._client.get(path).raise_for_status().json()
        return found

    def complete(self, **body: Any) -> str:
        """A chat completion, to its end; the id of the request."""
        with self._client.stream("POST", "/chat/completions", json=body) as answered:
            with contextlib.suppress(httpx.TransportError):  # some answers are made to break off
                answered.read()
            return answered.headers.get("x-request-id", "")


def until(is_so: Callable[[], object], *, within_s: float = 60) -> None:
    """Wait for it. What does not come in time is told, for its pages will be empty."""
    end_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end_s:
            sys.stderr.write(f"not there after {within_s:.0f} s: some pages will be empty\n")
            return
        time.sleep(0.2)
