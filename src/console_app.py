"""The Litestar application of the console's process."""

import psycopg
from litestar import Litestar, get
from litestar.exceptions import HTTPException
from psycopg_pool import PoolClosed, PoolTimeout

from api.admin.problems import database_away
from api.console.app import Console
from api.console.customer_api import by_key_or_session
from api.console.heads import AnswersHead
from api.customer.app import customer_router
from console_process import ConsoleProcess


def make_console(process: ConsoleProcess) -> Litestar:
    """Everything that the process serves; start-up and shut-down come with it."""
    away = (psycopg.Error, PoolTimeout, PoolClosed)
    console = Console(process.tools, away=away)
    customer = customer_router(process.tools.admin, identify=by_key_or_session(process.tools))
    for error in away:
        customer.exception_handlers[error] = database_away

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @get("/readyz", sync_to_thread=False)
    def readyz() -> dict[str, str]:
        """Started, and the log was read to its end."""
        return {"status": "ok"}

    return AnswersHead(
        [healthz, readyz, customer, console.router()],
        on_startup=[process.start],
        on_shutdown=[process.stop],
        exception_handlers={HTTPException: console.error_handler()},
        openapi_config=None,
        logging_config=None,
    )
