"""A gateway over HTTP: implements `application.playground.ports.ChatGateway`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from application.playground.ports import GatewayAway, Reply
from domain.secret import Secret

_CONNECT_S: Final = 5.0
_READY_S: Final = 3.0
_SILENCE_S: Final = 120.0
"""Longer than a gateway's pings are apart, and than providers think before their first word."""


class HttpChatGateway:
    """`url`: where a gateway is, without a slash at its end. Nothing of the environment's proxies is taken."""

    def __init__(self, url: str) -> None:
        self._url, self._ready_url = f"{url}/v1/chat/completions", f"{url}/readyz"
        timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S, pool=_CONNECT_S)
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    @asynccontextmanager
    async def chat(self, body: bytes, *, secret: Secret) -> AsyncIterator[Reply]:
        headers = {
            "authorization": f"Bearer {secret.reveal()}",
            "content-type": "application/json",
            "accept-encoding": "identity",
        }
        try:
            async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                yield Reply(
                    status=answer.status_code,
                    media_type=answer.headers.get("content-type", ""),
                    chunks=answer.aiter_bytes(),
                )
        except httpx.HTTPError as error:
            # `from None`: the request in it holds the secret.
            raise GatewayAway(type(error).__name__) from None

    async def is_ready(self) -> bool:
        try:
            answer = await self._client.get(self._ready_url, timeout=_READY_S)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def close(self) -> None:
        await self._client.aclose()
