"""A provider that answers every request as it is told, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ProviderServer:
    """`answer` is what the next requests get; `requests` are the heads that came."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = b""
        self.requests: list[str] = []
        self.refuses: dict[str, bytes] = {}  #: by a text in the head
        self.tell(200, b'{"object":"list","data":[]}')

    def tell(self, status: int, body: bytes = b"{}", *headers: bytes) -> None:
        self.answer = answer(status, body, *headers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                found = [said for text, said in self.refuses.items() if text in head]
                writer.write(found[0] if found else self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(status: int, body: bytes = b"{}", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


@asynccontextmanager
async def provider_server() -> AsyncIterator[ProviderServer]:
    provider = ProviderServer()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    async with server:
        provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield provider
        server.close()
