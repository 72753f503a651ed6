"""The Litestar application of one gateway process."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from litestar import Litestar, Request, Response, asgi, get
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import Receive, Scope, Send
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg_pool import PoolClosed, PoolTimeout

from adapters.bodies.metrics import BodyCollector
from adapters.jobs.broker import make_broker
from adapters.jobs.webhooks import WebhookWakeups
from adapters.mail.metrics import MailCollector
from adapters.sealing.metrics import SealCollector
from admin_tools import make_admin_tools, make_health, make_projections
from api.admin.app import PREFIX, admin_router
from api.admin.problems import database_away, on_error
from api.customer.access import by_management_key
from api.customer.app import PREFIX as API_PREFIX
from api.customer.app import customer_router
from api.metrics import GatewayCollector, metrics_route
from api.v1.app import V1
from api.webhooks import webhook_router
from gateway_process import GatewayProcess
from projections.metrics import HealthCollector, LagCollector
from projections.request_log import RequestReader


def make_app(process: GatewayProcess) -> Litestar:
    """Everything that the process serves; start-up and shut-down come with it."""
    v1 = V1(
        process.gateway,
        ids=process.ids,
        metrics=process.metrics,
        requests=RequestReader(process.pool),
        receipts=process.receipts,
        refusals=process.refusals,
        body_bytes_max=process.settings.body_bytes_max,
    )

    @asgi(path="/v1", is_mount=True, copy_scope=False)
    async def mount_v1(scope: Scope, receive: Receive, send: Send) -> None:
        await v1(scope, receive, send)

    @get("/", sync_to_thread=False)
    def start_page() -> Redirect:
        """To what a person can look at: the console, or without one the description of the API."""
        return Redirect(process.settings.console_url or f"{PREFIX}/docs")

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @get("/readyz", sync_to_thread=False)
    def readyz() -> Response[dict[str, object]]:
        """Money can be written; names what cannot, and what else somebody should look at."""
        faults = process.what_is_wrong()
        body: dict[str, object] = {
            "status": "unavailable" if faults else "ok",
            "faults": faults,
            "notices": process.seal_watch.notices,
        }
        return Response(body, status_code=503 if faults else 200)

    tools = make_admin_tools(process)
    admin = admin_router(tools)
    customer = customer_router(tools, identify=by_management_key(process.directory, process.clock))
    for error in (psycopg.Error, PoolTimeout, PoolClosed):
        admin.exception_handlers[error] = customer.exception_handlers[error] = database_away
    metrics = metrics_route(
        GatewayCollector(process.metrics, is_writable=process.journal.is_writable),
        [
            _TolerantCollector(LagCollector(make_projections(process)), name="projections"),
            _TolerantCollector(HealthCollector(make_health(process)), name="ledger"),
            *_seal_collectors(process),
            _TolerantCollector(MailCollector(process.pool, clock=process.clock), name="mail"),
            BodyCollector(process.bodies),
        ],
    )
    webhooks = webhook_router(process.ports, wake=_waking(process))
    return Litestar(
        [mount_v1, start_page, healthz, readyz, metrics, admin, customer, webhooks],
        on_startup=[process.start],
        on_shutdown=[process.stop],
        exception_handlers={HTTPException: _on_http_error},
        openapi_config=None,
        # Logging is set up by the entry point; the framework's own would replace it.
        logging_config=None,
    )


def _waking(process: GatewayProcess) -> Callable[[], object]:
    """Wakes a worker for a message of a payment provider; without Redis workers look by themselves."""
    if not process.settings.redis_url:
        return lambda: False
    return WebhookWakeups(make_broker(process.settings.redis_url)).poke


def _seal_collectors(process: GatewayProcess) -> list[Collector]:
    return [SealCollector(process.sealed, process.seal_book)] if process.sealed else []


class _TolerantCollector(Collector):
    """What is read from the database; without one the other figures are still told."""

    def __init__(self, inner: Collector, *, name: str) -> None:
        self._inner = inner
        self._name = name

    def collect(self) -> Iterator[Metric]:
        families: list[Metric] = []
        try:
            families = [*self._inner.collect()]
        except Exception:  # noqa: BLE001  # a scrape says what it can; the gauge says that this failed
            families = []
        yield from families
        yield GaugeMetricFamily(
            f"tokenok_{self._name}_readable",
            "1 if the figures of this kind could be read.",
            value=float(bool(families)),
        )


def _on_http_error(
    request: Request[Any, Any, Any], error: HTTPException
) -> Response[bytes] | Response[dict[str, object]]:
    """Paths that lead nowhere; below the APIs in their own form."""
    if request.scope["path"].startswith(f"{API_PREFIX}/"):
        return on_error(request, error)
    return Response({"status_code": error.status_code, "detail": error.detail}, status_code=error.status_code)
