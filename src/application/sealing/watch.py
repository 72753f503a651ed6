"""A gateway's look at whether sealing stands still, for its readiness: told, and no reason to serve nobody."""

import asyncio
from typing import Final

from application.eventlog import LogUnavailable
from application.sealing.ports import CheckpointBook

LOOK_S: Final = 10.0


class SealWatch:
    """Belongs to the event loop that serves."""

    def __init__(self, book: CheckpointBook) -> None:
        self._book = book
        self.notices: list[str] = []

    async def look(self) -> None:
        """Ask once; while the database is away, what was known stays."""
        try:
            fault = await asyncio.to_thread(self._book.fault)
        except LogUnavailable:
            return
        self.notices = [] if fault is None else [f"sealing stands still: {fault.code}, {fault.words}"]

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)
