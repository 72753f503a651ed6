"""Port to a gateway, as customers' programs see it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from domain.secret import Secret


class GatewayAway(Exception):
    """No gateway answered; nothing was charged."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway answered. `chunks` can be read once, while the reply is open."""

    status: int
    media_type: str
    chunks: AsyncIterator[bytes]


class ChatGateway(Protocol):
    """Sends chat completions on."""

    def chat(self, body: bytes, *, secret: Secret) -> AbstractAsyncContextManager[Reply]:
        """Open the answer to a request. Leaving the context early is a client that goes away: the gateway stops and charges what came.

        Raises:
            GatewayAway: see there.
        """
        ...

    async def is_ready(self) -> bool:
        """Whether it takes requests at the moment; does not raise."""
        ...
