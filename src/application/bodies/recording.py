"""Copies what passes between one client and us, for an account whose bodies are kept. Nothing waits for it."""

from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Self

from application.bodies.ports import Body, BodySink
from application.clock import Clock
from application.directory_views import Caller
from application.gateway.client import Call, Client, Headers


class Recording:
    """Implements `application.gateway.client.Client` over another one, for a block; at its end, what was seen is offered."""

    def __init__(
        self, client: Client, *, call: Call, caller: Caller, request: bytes, sink: BodySink, clock: Clock
    ) -> None:
        self._client = client
        self._call = call
        self._caller = caller
        self._request = request
        self._sink = sink
        self._began_us = clock.now_us()
        self._status = 0
        self._response = bytearray()
        self._response_bytes = 0
        self._complete = False

    @property
    def gone(self) -> bool:
        return self._client.gone

    async def body(self) -> bytes:
        return self._request

    def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        return self._client.pieces(bytes_max=bytes_max)

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        self._client.watch(on_gone, write_s=write_s)

    async def start(self, status: int, headers: Headers) -> None:
        self._status = status
        await self._client.start(status, headers)

    async def send(self, data: bytes) -> None:
        self._take(data)
        await self._client.send(data)

    async def end(self, data: bytes = b"") -> None:
        self._take(data)
        await self._client.end(data)
        self._complete = not self._client.gone

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        bytes_max = self._sink.body_bytes_max
        self._sink.offer(
            Body(
                request_id=self._call.request_id,
                account_id=self._caller.account.account_id,
                key_id=self._caller.key.key_id,
                began_us=self._began_us,
                status=self._status,
                complete=self._complete,
                request_bytes=len(self._request),
                response_bytes=self._response_bytes,
                request=self._request[:bytes_max],
                response=bytes(self._response),
            )
        )

    def _take(self, data: bytes) -> None:
        self._response_bytes += len(data)
        room = self._sink.body_bytes_max - len(self._response)
        if room > 0:
            self._response += data[:room]
