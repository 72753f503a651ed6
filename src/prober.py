"""The health probes of a process that is no gateway: its own view of the log, and a client that is checked as gateways' are."""

import asyncio
import random
import threading
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Final, Self

import structlog

from adapters.upstream.client import UpstreamClient
from adapters.upstream.dial import resolve_by_system
from adapters.upstream.egress import checked
from application.clock import SystemClock, SystemIds
from application.directory import Directory
from application.eventlog import EventLogError
from application.routing.health import Health
from application.routing.probing import JITTER_S, Probing
from bootstrap import make_ports, open_pool, open_store
from domain.catalogue.addresses import Allowlist
from settings import Settings

_NAME: Final = "tokenok-prober"  # of its database connections

log = structlog.get_logger()


class Prober:
    """Probes in a thread of its own: a provider that hangs must not hold up the other jobs."""

    def __init__(self, settings: Settings, *, jitter_s: float = JITTER_S) -> None:
        self._settings = settings
        self._jitter_s = jitter_s
        self._chance = random.SystemRandom()
        self._open = ExitStack()
        self._probing: Probing | None = None
        self._thread: threading.Thread | None = None
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._is_closed = False
        self._has_complained = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Break off what is under way and sum up what was seen."""
        self._is_closed = True
        stop, thread = self._stop, self._thread
        if stop is not None:
            loop, task = stop
            with suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
        if thread is not None:
            thread.join()
        if self._probing is not None:
            try:
                self._probing.close()
            except EventLogError as lost:
                log.warning("probes_not_summed_up", error=type(lost).__name__)
        self._open.close()

    def kick(self) -> None:
        """Begin a round, unless the last is still under way."""
        if not self._settings.tokenok_master_key:
            if not self._has_complained:
                log.warning("probes_off", reason="no master key")
            self._has_complained = True
            return
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._round())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001  the next round tries again
            log.warning("probes_failed", error=type(error).__name__)

    async def _round(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._stop = (asyncio.get_running_loop(), task)
        try:
            if self._is_closed:
                return
            if self._probing is None:
                self._probing = await asyncio.to_thread(self._make)
            allowlist = Allowlist.parse(self._settings.allow_private_upstreams)
            upstream = UpstreamClient(resolve=checked(resolve_by_system, allowlist))
            try:
                await self._probing.round(upstream)
            finally:
                await upstream.aclose()
        finally:
            self._stop = None

    def _make(self) -> Probing:
        settings, clock = self._settings, SystemClock()
        with ExitStack() as opening:  # what fails half-way leaves nothing open
            store = opening.enter_context(open_store(settings, application_name=_NAME))
            pool = opening.enter_context(open_pool(settings, size_max=2))
            ports = make_ports(settings, store=store, pool=pool, clock=clock)
            self._open = opening.pop_all()
        health = Health(instance_id=SystemIds().new(), clock=clock)
        return Probing(
            directory=Directory(ports.hasher, health=health),
            health=health,
            store=store,
            vault=ports.vault,
            clock=clock,
            delay=lambda: asyncio.sleep(self._chance.uniform(0, self._jitter_s)),
        )
