"""Entry point of the scheduler: `python -m scheduler` runs the jobs that are due until SIGTERM or SIGINT.

Any number may run; one works at a time. Jobs that live elsewhere come in through `run`.
"""

import sys
import threading
from collections.abc import Sequence
from typing import Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from adapters.bodies.store import drop_old_bodies
from adapters.checkout.inbox import PostgresWebhookQueue
from adapters.hooks.tables import PostgresHookQueue
from adapters.jobs.broker import make_broker
from adapters.jobs.schedule import Job, Schedule
from adapters.jobs.signals import stop_on_signals
from adapters.jobs.wakeups import ProjectionWakeups
from adapters.mail.outbox import purge_mails
from adapters.vault.idempotency import purge
from adapters.vault.kept_answers import purge_kept_answers
from application.balance_alerts.raise_alerts import raise_low_balances
from application.budgets.raise_alerts import raise_alerts
from application.checkout.sweep import AskFirst, sweep_notices, sweep_orders
from application.checkout.sweep_disputes import sweep_disputes
from application.checkout.sweep_refunds import sweep_refunds
from application.clock import SystemClock
from application.ledger.expire_lots import expire_due
from application.money.match_payouts import match_payouts
from application.money.reconcile import reconcile
from application.postpaid.remind import remind_due
from application.projections import Projections
from application.recharge.expire_orders import expire_due as expire_orders
from application.routing.probing import EVERY_S
from bootstrap import make_checkouts, open_store, ports_of, reaper_of
from domain.sealing.notes import BadKey
from domain.topics import REGISTRY
from logs import configure_logs
from prober import Prober
from projections.books_check import PostgresBooksChecks
from projections.budget_reader import BudgetReader
from projections.lot_ends import EndingLots
from projections.low_balances import LowBalanceReader
from projections.money import MoneyReader
from projections.orders import OrderReader
from projections.pool import projection_pool
from projections.postpaid import PostpaidReader
from projections.registry import all_projections
from projections.service import ProjectionService
from sealing import LogSealing
from settings import BadSetting, Settings, from_environment, require

_NAME: Final = "tokenok-scheduler"  # of its database connections
_TICK_S: Final = 1.0
_REAP_S: Final = 2.0
_WAKE_S: Final = 5.0
_LAG_S: Final = 10.0
_LAG_WARNING_S: Final = 5.0
_PURGE_S: Final = 3600.0
_CHECK_S: Final = 15.0
_EXPIRE_S: Final = 5.0
_ALERTS_S: Final = 5.0
_EXPIRE_ORDERS_S: Final = 60.0
_SWEEP_S: Final = 900.0
_REMIND_S: Final = 60.0
_DAY_US: Final = 24 * 3600 * 1_000_000
_REFUNDS_S: Final = 300.0
_RECONCILE_S: Final = 6 * 3600.0

log = structlog.get_logger()


def run(settings: Settings, *, jobs: Sequence[Job] = (), stop: threading.Event) -> None:
    """Run `jobs` and the scheduler's own until `stop` is set. `jobs` are blocking calls without arguments."""
    clock = SystemClock()
    wakeups = ProjectionWakeups(make_broker(settings.redis_url))
    with (
        projection_pool(settings.database_url, size_max=2, application_name=_NAME) as pool,
        open_store(settings, application_name=_NAME) as store,
    ):
        projections = ProjectionService(
            pool=pool, store=store, registry=REGISTRY, projections=all_projections(), clock=clock
        )
        checkouts = make_checkouts(settings)
        ask = AskFirst(checkouts=checkouts, store=store, clock=clock)
        queue = PostgresWebhookQueue(pool)
        own = [
            Job("projections-wake", _WAKE_S, lambda: [wakeups.poke(name) for name in projections.names()]),
            Job("projections-lag", _LAG_S, lambda: report_lag(projections)),
            Job("books-check", _CHECK_S, PostgresBooksChecks(pool, clock=clock).check),
            Job("expire-lots", _EXPIRE_S, lambda: expire_due(EndingLots(pool), store=store, clock=clock)),
            Job(
                "expire-orders",
                _EXPIRE_ORDERS_S,
                lambda: expire_orders(OrderReader(pool), store=store, clock=clock, ask=ask),
            ),
            Job(
                "payments-remind",
                _REMIND_S,
                lambda: remind_due(PostpaidReader(pool), store=store, clock=clock),
            ),
            Job(
                "orders-sweep",
                _SWEEP_S,
                lambda: sweep_orders(OrderReader(pool), checkouts=checkouts, store=store, clock=clock),
            ),
            Job(
                "refunds-sweep",
                _REFUNDS_S,
                lambda: sweep_refunds(OrderReader(pool), checkouts=checkouts, store=store, clock=clock),
            ),
            Job(
                "disputes-sweep",
                _SWEEP_S,
                lambda: sweep_disputes(OrderReader(pool), checkouts=checkouts, store=store, clock=clock),
            ),
            Job(
                "money-reconcile",
                _RECONCILE_S,
                lambda: reconcile(checkouts, store=store, clock=clock),
            ),
            Job(
                "payouts-match",
                _RECONCILE_S,
                lambda: match_payouts(MoneyReader(pool), checkouts=checkouts, store=store, clock=clock),
            ),
            Job(
                "webhook-bytes-forget",
                _PURGE_S,
                lambda: queue.forget_bytes(days=settings.webhook_keep_days),
            ),
            Job(
                "hook-messages-forget",
                _PURGE_S,
                lambda: PostgresHookQueue(pool).forget(days=settings.webhook_keep_days),
            ),
            Job("budget-alerts", _ALERTS_S, lambda: raise_alerts(BudgetReader(pool), store=store)),
            Job("low-balances", _ALERTS_S, lambda: raise_low_balances(LowBalanceReader(pool), store=store)),
            Job("idempotency-purge", _PURGE_S, lambda: purge(pool)),
            Job(
                "kept-answers-purge",
                _PURGE_S,
                lambda: purge_kept_answers(pool, older_than_s=settings.idempotency_keep_s),
            ),
            Job(
                "mails-purge",
                _PURGE_S,
                lambda: purge_mails(pool, before_us=clock.now_us() - settings.mail_keep_days * _DAY_US),
            ),
            Job("bodies-drop", _PURGE_S, lambda: drop_old_bodies(pool, days=settings.body_log_days)),
        ]
        schedule = Schedule(pool, [*own, *jobs], clock=clock)
        log.info("scheduler_started")
        while not stop.is_set():
            try:
                schedule.tick()
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("scheduler_waits", error=type(error).__name__)
            stop.wait(_TICK_S)
    log.info("scheduler_stopped")


def fetch_missed(settings: Settings) -> None:
    """Fetch messages of payment providers that did not reach any gateway."""
    if not make_checkouts(settings).all():
        return
    with ports_of(settings) as ports:
        sweep_notices(checkouts=ports.checkouts, inbox=ports.inbox, store=ports.store, clock=ports.clock)


def report_lag(projections: Projections) -> None:
    """Log read models that are late or stand still."""
    for status in projections.status():
        if status.behind_s > _LAG_WARNING_S or status.stopped or status.is_outdated:
            log.warning(
                "projection_late",
                projection=status.name,
                events_behind=status.events_behind,
                behind_s=round(status.behind_s, 1),
                stopped_at=status.stopped.position if status.stopped else None,
                is_outdated=status.is_outdated,
            )


def main() -> int:
    try:
        settings = from_environment()
        require(settings, "database_url", "redis_url")
        sealing = LogSealing(settings)
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BadKey as error:
        sys.stderr.write(f"SEAL_KEY cannot be used: {error}\n")
        return 2
    configure_logs(settings.tokenok_log_level)
    stop = stop_on_signals()
    with reaper_of(settings) as reaper, Prober(settings) as prober, sealing:
        jobs = [
            Job("reap", _REAP_S, reaper.run_once),
            Job("probes", EVERY_S, prober.kick),
            Job("webhooks-sweep", _SWEEP_S, lambda: fetch_missed(settings)),
        ]
        run(settings, jobs=jobs, stop=stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
