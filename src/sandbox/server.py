"""Starts and stops the sandbox: listen at once, read the vocabulary beside, be ready when both are done."""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from sandbox import tokens
from sandbox.app import Sandbox
from sandbox.connection import Connection

BACKLOG: Final = 2048


class Server:
    """A listening sandbox. `base_url` ends in `/v1`, as clients want it."""

    def __init__(self, sandbox: Sandbox, *, host: str) -> None:
        self._sandbox = sandbox
        self._host = host
        self._listener: asyncio.Server | None = None
        self.base_url = ""

    async def start(self, port: int, *, vocabulary: Path) -> None:
        """Listen (0: any free port) and read the vocabulary in that folder.

        Raises:
            OSError: the port cannot be had.
            NoVocabulary: tokens cannot be counted; nothing serves.
        """
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self._sandbox, loop), self._host, port, backlog=BACKLOG
        )
        bound = self._listener.sockets[0].getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url = f"http://{host}:{bound}/v1"
        self._sandbox.tokens = await asyncio.to_thread(tokens.load, vocabulary)

    async def stop(self) -> None:
        """Listen no more and close every connection; answers under way are cut and journalled as incomplete."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._sandbox.connections):
            connection.transport.abort()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def write_ready_file(path: Path, *, base_url: str) -> str:
    """Write the ready file whole or not at all; returns its text."""
    text = json.dumps({"base_url": base_url, "pid": os.getpid()})
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    Path(name).replace(path)
    return text
