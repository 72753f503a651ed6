"""Leaves an upstream that goes on answering, but too slowly: a deployment's minimum of bytes a second.

Only time that is waited for the upstream counts: a slow client is not its fault. There is no timer of its own: the pace is
looked at when bytes come, and silence has the limit that it has anyway, or a shorter one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from application.upstream import UpstreamAnswerTooLarge, UpstreamResponse, UpstreamTimeout, UpstreamTooSlow
from domain.catalogue.deployment_spec import BYTES_WINDOW_MS, Timeouts


def paced(response: UpstreamResponse, timeouts: Timeouts) -> UpstreamResponse:
    """`response`, held to the minimum of its deployment if that has one."""
    bytes_s_min = timeouts.bytes_s_min
    if bytes_s_min is None:
        return response
    return PacedResponse(
        response,
        bytes_s_min=bytes_s_min,
        window_s=(timeouts.bytes_window_ms or BYTES_WINDOW_MS) / 1000,
        now_s=asyncio.get_running_loop().time,
    )


class PacedResponse:
    """An `UpstreamResponse` whose methods also raise `UpstreamTooSlow`; then the one within is closed.

    A window lasts for `window_s` of waiting at least, and ends with the bytes that come then: if those of all of it are
    too few, the answer is left, else another window begins. Silence for `window_s` is too slow by itself; a complete
    answer never is. So it takes less than two windows to leave an answer.
    """

    __slots__ = ("_bytes", "_bytes_s_min", "_now_s", "_response", "_waited_s", "_window_s")

    def __init__(
        self,
        response: UpstreamResponse,
        *,
        bytes_s_min: int,
        window_s: float,
        now_s: Callable[[], float],
    ) -> None:
        self._response = response
        self._bytes_s_min = bytes_s_min
        self._window_s = window_s
        self._now_s = now_s
        self._bytes = 0  # in this window
        self._waited_s = 0.0

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return self._response.headers

    @property
    def at_end(self) -> bool:
        return self._response.at_end

    async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
        window_s = self._window_s
        began_s = self._now_s()
        try:
            piece = await self._response.receive(idle_s=min(idle_s, window_s), ping_s=ping_s)
        except UpstreamTimeout as timeout:
            if timeout.phase == "idle" and window_s < idle_s:
                raise UpstreamTooSlow from None
            raise
        self._waited_s += self._now_s() - began_s
        if piece:
            self._bytes += len(piece)
            if self._waited_s >= window_s and not self.at_end:
                await self._end_window()
        return piece

    async def aiter_raw(self, *, idle_s: float) -> AsyncIterator[bytes]:
        while piece := await self.receive(idle_s=idle_s):
            yield piece

    async def read(self, max_bytes: int, *, idle_s: float) -> bytes:
        body = bytearray()
        try:
            while piece := await self.receive(idle_s=idle_s):
                body += piece
                if len(body) > max_bytes:
                    raise UpstreamAnswerTooLarge(f"the body has more than {max_bytes} bytes")
        finally:
            await self.aclose()
        return bytes(body)

    async def aclose(self) -> None:
        await self._response.aclose()

    async def _end_window(self) -> None:
        if self._bytes < self._bytes_s_min * self._waited_s:
            await self.aclose()
            raise UpstreamTooSlow
        self._bytes, self._waited_s = 0, 0.0
