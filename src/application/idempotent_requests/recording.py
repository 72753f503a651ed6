"""A client whose answer is written down on its way, within bounds; what does not fit is not kept at all."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from application.gateway.client import Client, Headers
from application.idempotent_requests.kept_answers import KeptAnswer, lasting
from application.wire.relay import PING

Keep = Callable[[KeptAnswer], Awaitable[None]]


class Buffers:
    """The memory of all recordings of a process, in bytes."""

    def __init__(self, *, answer_bytes_max: int, bytes_max: int) -> None:
        self.answer_bytes_max = answer_bytes_max
        self._bytes_free = bytes_max

    def take(self, size_bytes: int) -> bool:
        """False, and nothing taken, if there is no room."""
        if size_bytes > self._bytes_free:
            return False
        self._bytes_free -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        self._bytes_free += size_bytes


class RecordingClient:
    """Implements `application.gateway.client.Client` around another. `close` it, however the request ends.

    An answer is kept when its end is about to go, which is after its charge; also when the client has left by then.
    """

    def __init__(
        self, client: Client, buffers: Buffers, keep: Keep, *, until_free: Callable[[], Awaitable[None]]
    ) -> None:
        self._client = client
        self._buffers = buffers
        self._keep = keep
        self._until_free = until_free
        self._status = 0
        self._headers: tuple[tuple[bytes, bytes], ...] = ()
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._is_recording = True

    @property
    def gone(self) -> bool:
        return self._client.gone

    async def body(self) -> bytes:
        return await self._client.body()

    def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        return self._client.pieces(bytes_max=bytes_max)

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        self._client.watch(on_gone, write_s=write_s)

    async def start(self, status: int, headers: Headers) -> None:
        self._status, self._headers = status, lasting(headers)
        await self._client.start(status, headers)

    async def send(self, data: bytes) -> None:
        if data != PING:
            self._record(data)
        await self._client.send(data)

    async def end(self, data: bytes = b"") -> None:
        self._record(data)
        if self._is_recording:
            await self._keep(
                KeptAnswer(status=self._status, headers=self._headers, body=b"".join(self._parts))
            )
        await self._client.end(data)

    async def close(self) -> None:
        """Give the memory back, and wait for a key that comes free."""
        self._stop()
        await self._until_free()

    def _stop(self) -> None:
        self._is_recording = False
        self._buffers.give_back(self._size_bytes)
        self._size_bytes = 0
        self._parts.clear()

    def _record(self, data: bytes) -> None:
        if not self._is_recording:
            return
        fits = self._size_bytes + len(data) <= self._buffers.answer_bytes_max
        if fits and self._buffers.take(len(data)):
            self._parts.append(data)
            self._size_bytes += len(data)
        else:
            self._stop()
