"""Posts a message to an address that a customer has typed, and goes nowhere else.

The way of requests to model providers: one strict parser, every resolved address judged before it is connected to and the
judged one used, no redirect followed, no proxy, no cookie. Of the answer only the status is read.
"""

import time
from collections.abc import Sequence
from typing import Final

from adapters.upstream.client import UpstreamClient
from adapters.upstream.dial import Resolve, resolve_by_system
from adapters.upstream.egress import checked
from application.hooks.ports import Sent
from application.upstream import (
    ParsedUrl,
    UpstreamConnectError,
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeout,
)
from domain.catalogue.addresses import Allowlist
from domain.hooks.address import checked_address
from domain.refusal import BadField

CONNECT_S: Final = 5.0
FIRST_BYTE_S: Final = 10.0
TOTAL_S: Final = 15.0


class HookSender:
    """See `application.hooks.ports.Sender`. Belongs to one event loop."""

    def __init__(self, allowlist: Allowlist, *, resolve: Resolve = resolve_by_system) -> None:
        self._allowlist = allowlist
        self._client = UpstreamClient(resolve=checked(resolve, allowlist))

    async def post(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Sent:
        began_s = time.monotonic()
        status, error = await self._status(url, headers, body)
        return Sent(status=status, error=error, duration_ms=round((time.monotonic() - began_s) * 1000))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _status(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> tuple[int, str]:
        try:
            base, target = checked_address(url, self._allowlist)
        except BadField:  # it was allowed when it was typed
            return 0, "address_not_allowed"
        request = UpstreamRequest(
            method=b"POST",
            url=ParsedUrl(base.scheme, base.host, base.port, target),
            headers=list(headers),
            body=body,
        )
        try:
            answer = await self._client.send(
                request, connect_s=CONNECT_S, first_byte_s=FIRST_BYTE_S, total_s=TOTAL_S
            )
            await answer.aclose()
        except UpstreamError as error:
            return 0, _word(error)
        return answer.status, ""


def _word(error: UpstreamError) -> str:
    """A word of ours: what a stranger's server says is in no table."""
    match error:
        case UpstreamTimeout():
            return f"timeout_{error.phase}"
        case UpstreamConnectError():
            return error.reason if error.reason == "address_not_allowed" else error.code
        case _:
            return error.code
