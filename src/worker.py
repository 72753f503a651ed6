"""Entry point of the worker: `python -m worker` keeps the read models up to date, builds those anew that an upgrade has changed, handles the messages of payment
providers, recharges low accounts, tells customers what happened, does the paperwork and long work, until SIGTERM or SIGINT.

A Dramatiq worker of a few threads follows wake-ups; a poll beside it needs no Redis. Any number of workers may run.
"""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

from adapters.call_back import NotifyCallBack
from adapters.checkout.inbox import PostgresWebhookQueue
from adapters.jobs.broker import make_broker
from adapters.jobs.rounds import Rounds
from adapters.jobs.signals import stop_on_signals
from adapters.jobs.wakeups import ProjectionWakeups, declare_projecting
from adapters.jobs.webhooks import WebhookHandling
from adapters.vault.master_keys import BadMasterKey
from application.auto_recharge.follow import FollowTools
from application.auto_recharge.rounds import AutoRecharging
from application.checkout.handle import WebhookTools, handle_due
from application.clock import SystemClock
from bootstrap import make_checkouts, open_store
from domain.topics import REGISTRY
from logs import configure_logs
from paperwork import Paperwork
from projections.auto_recharges import AutoRechargeReader
from projections.follower import Follower
from projections.mending import Mending
from projections.orders import OrderReader
from projections.poller import Poller
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.runner import Runner
from projections.service import ProjectionService
from projections.tail import LogTail
from settings import BadSetting, Settings, from_environment, require
from telling import telling
from workshop import Works

_NAME: Final = "tokenok-worker"  # of its database connections
_IDLE_MS_MAX: Final = 500  # between two looks into the queue; a follower stays while there is work
_STOP_MS_MAX: Final = 10_000
_RECHARGE_S: Final = 2.0
_MEND_S: Final = 3.0
_GC_THRESHOLD: Final = 100_000

log = structlog.get_logger()


@contextmanager
def projecting(settings: Settings) -> Iterator[None]:
    """Keep the read models up to date while the block runs; then let every batch end and stop."""
    clock = SystemClock()
    projections = all_projections()
    threads = len(projections) + 4  # for each read model, webhooks, recharges, rebuilds, and one more
    stop = threading.Event()
    with (
        projection_pool(settings.database_url, size_max=threads + 1, application_name=_NAME) as pool,
        open_store(settings, connections_max=threads + 1, application_name=_NAME) as store,
    ):
        runner = Runner(
            pool=pool, reader=LogTail(store), registry=REGISTRY, projections=projections, clock=clock
        )
        follower = Follower(runner, clock=clock, stop=stop)
        broker = make_broker(settings.redis_url)
        poller = Poller(follower, store=store, poke=ProjectionWakeups(broker).poke, stop=stop)
        declare_projecting(broker, lambda name: poller.guarded(follower.follow, name))
        webhooks = WebhookTools(
            checkouts=make_checkouts(settings),
            queue=PostgresWebhookQueue(pool),
            store=store,
            clock=clock,
            call_back=NotifyCallBack(pool),
        )
        recharging = AutoRecharging(
            accounts=AutoRechargeReader(pool),
            orders=OrderReader(pool),
            follow=FollowTools(checkouts=webhooks.checkouts, store=store, clock=clock),
        )
        recharges = Rounds("auto-recharges", recharging.round, every_s=_RECHARGE_S, stop=stop)
        mending = Mending(
            ProjectionService(
                pool=pool, store=store, registry=REGISTRY, projections=projections, clock=clock
            ),
            clock=clock,
            stop=stop,
        )
        mendings = Rounds("read-models-upgrade", mending.round, every_s=_MEND_S, stop=stop)
        handling = WebhookHandling(broker, lambda: handle_due(webhooks), stop=stop)
        queue = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=_IDLE_MS_MAX)
        poller.start()
        handling.start()
        recharges.start()
        mendings.start()
        queue.start()
        log.info("worker_started")
        try:
            yield
        finally:
            stop.set()
            _stop_queue(queue, broker)
            poller.join()
            handling.join()
            recharges.join(_STOP_MS_MAX / 1_000)
            mendings.join(_STOP_MS_MAX / 1_000)
    log.info("worker_stopped")


def _stop_queue(queue: dramatiq.Worker, broker: RedisBroker) -> None:
    """Its threads are daemons: one that waits for a Redis which is away does not keep the process."""
    try:
        queue.stop(timeout=_STOP_MS_MAX)
        broker.close()
    except Exception as error:  # noqa: BLE001  # whatever Redis does to it, the rest must stop
        log.warning("worker_queue_not_closed", error=type(error).__name__)


def main() -> int:
    try:
        settings = from_environment()
        require(settings, "database_url", "redis_url")
        paperwork = Paperwork(settings)
    except (BadSetting, BadMasterKey) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.tokenok_log_level)
    asked_to_stop = stop_on_signals()
    # A batch makes thousands of objects and no cycles; at the default threshold looking for some took a fifth of the CPU.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    with projecting(settings), telling(settings), paperwork, Works(settings):
        asked_to_stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
