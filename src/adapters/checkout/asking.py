"""Requests to payment providers that have no library here: with a limit on time and size, and errors of ours."""

import weakref
from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from application.checkout.ports import ProviderUnavailable

TIMEOUT_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came back; `headers` by names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Asker:
    """One provider's address; with none, addresses are given whole. Safe to use from threads."""

    def __init__(
        self, base: str, *, timeout_s: float = TIMEOUT_S, answer_bytes_max: int = ANSWER_BYTES_MAX
    ) -> None:
        self._base = base.rstrip("/")
        self._answer_bytes_max = answer_bytes_max
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)
        # Its owner lives as long as the process, or as long as somebody has it: there is no moment to close it at.
        weakref.finalize(self, self._client.close)

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answered:
        """Ask, once.

        Raises:
            ProviderUnavailable: nothing came back, or far too much.
        """
        body = bytearray()
        try:
            with self._client.stream(
                method, f"{self._base}{path}", headers=headers, content=content
            ) as found:
                for chunk in found.iter_bytes():
                    body += chunk
                    if len(body) > self._answer_bytes_max:
                        raise ProviderUnavailable("an answer without an end")
        except httpx.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        headers_found = {name.lower(): value for name, value in found.headers.items()}
        return Answered(status=found.status_code, headers=headers_found, body=bytes(body))
