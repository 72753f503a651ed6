"""The worker's thread that tells customers: it reads on in the log, and sends what is due, many at once.

An endpoint that is slow keeps its own messages waiting and nobody else's. Any number of workers may run.
"""

import asyncio
import threading
from collections import Counter
from typing import Final
from uuid import UUID

import structlog

from adapters.hooks.client import HookSender
from adapters.hooks.tables import Pool
from adapters.hooks.worker_side import AT_ONCE_PER_ENDPOINT, PostgresClaims, PostgresCollecting
from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.hooks.collect import collect
from application.hooks.deliver import DeliveryTools, deliver
from application.hooks.ports import Waiting
from application.vault import Vault, VaultError
from domain.catalogue.addresses import Allowlist

_AT_ONCE: Final = 32
_REST_S: Final = 60.0
_LOOK_S: Final = 0.5

log = structlog.get_logger()


class HookSending:
    """`start`, and after `stop` is set `join`."""

    def __init__(
        self,
        *,
        pool: Pool,
        store: EventStore,
        vault: Vault,
        clock: Clock,
        allowlist: Allowlist,
        stop: threading.Event,
    ) -> None:
        self._collecting = PostgresCollecting(pool)
        self._claims = PostgresClaims(pool)
        self._store, self._vault, self._clock, self._allowlist = store, vault, clock, allowlist
        self._stop = stop
        self._busy: Counter[UUID] = Counter()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="hooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(timeout=20)

    async def _run(self) -> None:
        sender = HookSender(self._allowlist)
        tools = DeliveryTools(
            claims=self._claims, sender=sender, store=self._store, vault=self._vault, clock=self._clock
        )
        tasks: set[asyncio.Task[None]] = set()
        while not self._stop.is_set():
            worked = await self._collect()
            for waiting in await self._claim(_AT_ONCE - len(tasks)):
                worked = True
                task = asyncio.create_task(self._deliver(waiting, tools))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if not worked:
                await asyncio.sleep(_LOOK_S)
        await asyncio.gather(*tasks)  # each ends within its time
        await sender.aclose()

    async def _collect(self) -> bool:
        try:
            return await asyncio.to_thread(collect, self._collecting, self._store) > 0
        except Exception as error:  # noqa: BLE001  # the next round tries again; what fails is behind nobody's back
            log.warning("hooks_not_collected", error=type(error).__name__)
            return False

    async def _claim(self, limit: int) -> list[Waiting]:
        if limit <= 0:
            return []
        busy = [one for one, count in self._busy.items() if count >= AT_ONCE_PER_ENDPOINT]
        try:
            return await asyncio.to_thread(self._claims.claim, limit=limit, rest_s=_REST_S, busy=busy)
        except EventLogError as error:
            log.warning("hooks_not_claimed", error=type(error).__name__)
            return []

    async def _deliver(self, waiting: Waiting, tools: DeliveryTools) -> None:
        endpoint_id = waiting.endpoint.endpoint_id
        self._busy[endpoint_id] += 1
        try:
            await deliver(waiting, tools)
        except (EventLogError, VaultError) as error:
            log.warning("hook_not_delivered", endpoint_id=str(endpoint_id), error=type(error).__name__)
        finally:
            self._busy[endpoint_id] -= 1
            self._busy += Counter()  # forgets those at zero
