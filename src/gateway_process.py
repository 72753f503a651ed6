"""Everything that one gateway process runs, from the first connection to the last settled lease."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import redis.asyncio
import structlog

from adapters.bodies.store import PostgresBodies
from adapters.bodies.writer import BodyWriter
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.wakeups import PostgresWakeups
from adapters.presence import PostgresPresence, PresenceKeeper
from adapters.redis_limits import RedisLimitSync
from adapters.sealing.book import PostgresCheckpointBook
from adapters.spool import TemporarySpools
from adapters.tokenizer.counter import TiktokenCounter
from adapters.upstream.client import UpstreamClient
from adapters.upstream.dial import resolve_by_system
from adapters.upstream.egress import checked
from adapters.vault.kept_answers import PostgresKeptAnswers
from application.clock import SystemClock, SystemIds
from application.directory import Directory
from application.directory_follower import DirectoryFollower
from application.gateway.attempts import Limits
from application.gateway.exchange import Context
from application.gateway.gateway import Gateway
from application.gateway.metrics import GatewayMetrics
from application.gateway.receiving import Uploads
from application.idempotent_requests.claims import Claims
from application.idempotent_requests.recording import Buffers
from application.idempotent_requests.repeats import Repeats
from application.ledger.lease_book import LeaseBook
from application.ledger.lender import LedgerLimits, LedgerTools, LiveGateways
from application.ledger.reaper import Reaper
from application.ledger.recall import RecallMessages
from application.limit_sync import LimitSynchroniser
from application.limits import RateLimiter
from application.refusals.tally import RefusalTally
from application.refusals.telling import RefusalTeller
from application.routing.health import Health
from application.routing.plan import Planner
from application.routing.scores import Scores
from application.routing.speed import Speeds
from application.routing.telling import tell
from application.sealing.watch import SealWatch
from bootstrap import make_ports, make_receipts, open_pool, open_store, sealed_log
from domain.catalogue.addresses import Allowlist
from domain.ledger.events import Owner
from settings import Settings

REAP_S = 0.5
_KEYED_THREADS: Final = 4

_GC_THRESHOLD: Final = 10_000
"""New objects between two looks at the youngest; the requests under way are a few thousand."""

log = structlog.get_logger()


class GatewayProcess:
    """Build it anywhere; `start` and `stop` belong to the event loop that serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock, self.ids = SystemClock(), SystemIds()
        self.owner = Owner(self.ids.new(), self.clock.now_us() // 1000)
        self.pool = open_pool(settings)
        self.store = open_store(settings, connections_max=8)
        self.ports = make_ports(settings, store=self.store, pool=self.pool, clock=self.clock)
        self.sealed = sealed_log(settings, log=self.store, clock=self.clock)
        self.receipts = make_receipts(settings, store=self.store, pool=self.pool, sealed=self.sealed)
        self.refusals = RefusalTally(self.clock)
        self.refusal_teller = RefusalTeller(
            self.refusals, store=self.store, owner=self.owner, clock=self.clock
        )
        self.seal_book = PostgresCheckpointBook(self.pool)
        self.seal_watch = SealWatch(self.seal_book)
        self.health = Health(instance_id=self.owner.instance_id, clock=self.clock)
        self.speeds = Speeds()
        self.directory = Directory(self.ports.hasher, health=self.health)
        self.follower = DirectoryFollower(
            self.directory, store=self.store, vault=self.ports.vault, clock=self.clock
        )
        self.journal = GroupCommitJournal(
            settings.database_url,
            events_max=settings.journal_events_max,
            batch_events_max=settings.journal_batch_max,
            wait_s_max=settings.journal_wait_s_max,
            on_replaced=self._on_replaced,
        )
        self.wakeups = PostgresWakeups(settings.database_url)
        self.presence = PostgresPresence(settings.database_url, lease_valid_s=settings.lease_valid_s)
        self.keeper = PresenceKeeper(
            settings.database_url, owner=self.owner, lease_valid_s=settings.lease_valid_s
        )
        self.book = LeaseBook(self._ledger_tools())
        self.limiter = RateLimiter()
        self.counter = TiktokenCounter()
        self.metrics = GatewayMetrics()
        allowlist = Allowlist.parse(settings.allow_private_upstreams)
        self.upstream = UpstreamClient(resolve=checked(resolve_by_system, allowlist))
        self._keyed_threads = ThreadPoolExecutor(_KEYED_THREADS, thread_name_prefix="keyed")
        self.bodies = BodyWriter(
            PostgresBodies(self.pool, self.ports.personal),
            body_bytes_max=settings.body_log_bytes_max,
            queue_bytes_max=settings.body_log_queue_bytes,
        )
        self.gateway = self._gateway()
        self._tasks: list[asyncio.Task[None]] = []
        self._redis: redis.asyncio.Redis | None = None
        self._stop_reaper = threading.Event()
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)

    def _ledger_tools(self) -> LedgerTools:
        settings = self.settings
        return LedgerTools(
            owner=self.owner,
            store=self.store,
            journal=self.journal,
            presence=self.presence,
            messages=RecallMessages(self.wakeups, instance_id=self.owner.instance_id),
            clock=self.clock,
            ids=self.ids,
            limits=LedgerLimits(
                lease_valid_s=settings.lease_valid_s,
                lease_charges_max=settings.lease_charges_max,
                lease_age_s_max=settings.lease_age_s_max,
                recall_wait_s=settings.recall_wait_s,
            ),
            gateways=LiveGateways(),
        )

    def _gateway(self) -> Gateway:
        settings = self.settings
        limits = Limits(
            connect_s=settings.upstream_connect_s,
            first_byte_s=settings.upstream_first_byte_s,
            idle_s=settings.upstream_idle_s,
            total_s=settings.upstream_total_s,
        )
        return Gateway(
            directory=self.directory,
            limiter=self.limiter,
            book=self.book,
            journal=self.journal,
            upstream=self.upstream,
            clock=self.clock,
            context=Context(
                counter=self.counter,
                limits=limits,
                ping_s=settings.ping_s,
                drain_s=settings.drain_s,
                client_write_s=settings.client_write_s,
            ),
            planner=Planner(health=self.health, speeds=self.speeds),
            scores=Scores(health=self.health, speeds=self.speeds, clock=self.clock),
            uploads=Uploads(
                TemporarySpools(bytes_max=settings.uploads_bytes_max), bytes_max=settings.upload_bytes_max
            ),
            repeats=self._repeats(),
            bodies=self.bodies,
            is_fresh=lambda: self.follower.is_fresh,
        )

    def _repeats(self) -> Repeats:
        settings = self.settings
        threads = self._keyed_threads
        return Repeats(
            Claims(store=self.store, journal=self.journal, clock=self.clock, threads=threads),
            PostgresKeptAnswers(self.pool, self.ports.personal),
            Buffers(
                answer_bytes_max=settings.idempotency_answer_bytes_max,
                bytes_max=settings.idempotency_buffers_bytes_max,
            ),
            threads=threads,
        )

    async def start(self) -> None:
        """Returns when requests can be served.

        Raises:
            TimeoutError, LogUnavailable, VaultError: the database cannot be used; the process should end.
        """
        await asyncio.to_thread(self.keeper.start)
        await self.follower.catch_up()
        self.journal.start()
        self.wakeups.subscribe(self._receive)
        self.wakeups.start()
        self.book.start()
        self._tasks = [
            asyncio.create_task(self.follower.run()),
            asyncio.create_task(tell(self.health, self.store)),
            asyncio.create_task(self.seal_watch.run()),
            asyncio.create_task(self.refusal_teller.run()),
        ]
        if self.settings.redis_url:
            self._redis = redis.asyncio.from_url(self.settings.redis_url)
            sync = RedisLimitSync(self._redis, self.owner.instance_id)
            synchroniser = LimitSynchroniser(self.limiter, sync, clock=self.clock)
            self._tasks.append(asyncio.create_task(synchroniser.run()))
        self._reaper.start()
        self.bodies.start()
        await asyncio.to_thread(self.counter.load)
        _spare_the_collector()
        log.info("gateway_started", instance_id=str(self.owner.instance_id))

    async def stop(self) -> None:
        """Settle what can be settled. Call it when no request is open any more."""
        instance_id = str(self.owner.instance_id)
        log.info("gateway_stopping", instance_id=instance_id)
        self._stop_reaper.set()
        steps = {
            "leases": self.book.close,
            "journal": self.journal.close,
            "tasks": self._end_tasks,
            "refusals": self.refusal_teller.tell,
            "wakeups": self.wakeups.close,
            "upstreams": self.upstream.aclose,
            "limits": self._close_redis,
            "connections": self._close_connections,
        }
        took_ms = {name: await self._timed(step) for name, step in steps.items()}
        gc.unfreeze()  # a process that goes on, as one of tests does, would keep all of us for good
        log.info("gateway_stopped", instance_id=instance_id, took_ms=took_ms)

    async def _timed(self, step: Callable[[], Awaitable[object]]) -> int:
        began_s = self.clock.monotonic_s()
        await step()
        return round((self.clock.monotonic_s() - began_s) * 1000)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_redis(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def _close_connections(self) -> None:
        await asyncio.to_thread(self._close_all)

    def _close_all(self) -> None:
        self._reaper.join(timeout=10)
        self.bodies.close()
        self.keeper.close()
        self.presence.close()
        self._keyed_threads.shutdown()
        self.store.close()
        self.pool.close()

    def what_is_wrong(self) -> list[str]:
        """What keeps this process from serving; empty when it can."""
        faults = []
        if not self.journal.is_writable():
            faults.append("the event log cannot be written")
        if not self.follower.is_fresh:
            faults.append("the event log cannot be read")
        return faults

    def _receive(self, message: str) -> None:
        self.book.receive(message)
        if not message.startswith("recall"):
            self.follower.wake()

    def _on_replaced(self) -> None:
        """The database is another one after a failover, and may lack what was decided on."""
        self.book.lose_all()
        self.follower.start_over()

    def _reap(self) -> None:
        """Every gateway looks after the dead: credit comes back also when nothing else runs."""
        presence = PostgresPresence(self.settings.database_url, lease_valid_s=self.settings.lease_valid_s)
        reaper = Reaper(
            store=self.store,
            presence=presence,
            clock=self.clock,
            me=self.owner,
            lease_valid_s=self.settings.lease_valid_s,
        )
        while not self._stop_reaper.wait(REAP_S):
            try:
                reaper.run_once()
            except Exception as error:  # noqa: BLE001  # the next round tries again
                log.warning("reaper_failed", error=type(error).__name__)
        with contextlib.suppress(Exception):
            presence.close()


def _spare_the_collector() -> None:
    """Take all that was made at the start out of the garbage collector's sight.

    A full collection looked at every module and type again, with all requests standing still meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
