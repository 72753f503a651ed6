"""Tells the log what a process found out of deployments and credentials, in the background."""

import asyncio
from typing import Final

import structlog

from application.eventlog import EventLogError, EventStore
from application.routing.health import Health

EVERY_S: Final = 0.05
AGAIN_S: Final = 1.0

log = structlog.get_logger()


async def tell(health: Health, store: EventStore) -> None:
    """Run until cancelled. While the log is away, what was found waits; the process acts on it all the same."""
    while True:
        await asyncio.sleep(EVERY_S)
        while health.proposals:
            settle = health.proposals[0]
            try:
                await asyncio.to_thread(settle, store)
            except EventLogError as error:
                log.warning("health_not_told", error=type(error).__name__)
                await asyncio.sleep(AGAIN_S)
                break
            if health.proposals and health.proposals[0] is settle:
                health.proposals.popleft()
