"""The server inside this process, where its memory and its connections can be looked at."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.app import Sandbox
from sandbox.journal import Journal
from sandbox.server import Server, write_ready_file
from sandbox.tokens import default_cache_dir
from tests.sandbox.rawclient import Answer, request_bytes


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, model: str, content: str) -> None:
    """One whole answer over a kept connection."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}]}).encode()
    writer.write(request_bytes("POST", "/v1/chat/completions", body, close=False))
    head = await reader.readuntil(b"\r\n\r\n")
    assert Answer(head).status == 200
    await reader.readexactly(int(Answer(head).header("content-length") or 0))


def test_no_prompt_stays_in_memory_and_stopping_closes_idle_connections() -> None:
    """Prepared answers are kept under digests, an echo and a large body not at all; `stop` leaves no one waiting."""

    async def scenario() -> None:
        sandbox = Sandbox(api_key=None, journal=Journal())
        server = Server(sandbox, host="127.0.0.1")
        await server.start(0, vocabulary=default_cache_dir())
        address = urlsplit(server.base_url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        await ask(reader, writer, "sandbox-echo", "a canary sings")
        await ask(reader, writer, "sandbox-fast", "canary " * 20_000)
        assert len(sandbox._kept) == 0
        for _ in range(2):
            await ask(reader, writer, "sandbox-fast", "a canary sings")
        assert len(sandbox._kept) == 1
        assert "canary" not in repr([*sandbox._kept._young.items()])
        await server.stop()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    asyncio.run(scenario())


def test_a_ready_file_is_replaced_whole(tmp_path: Path) -> None:
    """Who reads it while it is written sees the old one or the new one; nothing else is left in the folder."""
    path = tmp_path / "ready"
    path.write_text("old")
    write_ready_file(path, base_url="http://127.0.0.1:1/v1")
    assert json.loads(path.read_text())["base_url"] == "http://127.0.0.1:1/v1"
    assert list(tmp_path.iterdir()) == [path]
