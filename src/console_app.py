"""The Litestar application of the console's process."""

import psycopg
from litestar import Litestar, get
from litestar.exceptions import HTTPException
from psycopg_pool import PoolClosed, PoolTimeout

from api.console.app import Console
from console_process import ConsoleProcess


def make_console(process: ConsoleProcess) -> Litestar:
    """Everything that the process serves; start-up and shut-down come with it."""
    console = Console(process.tools, away=(psycopg.Error, PoolTimeout, PoolClosed))

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @get("/readyz", sync_to_thread=False)
    def readyz() -> dict[str, str]:
        """Started, and the log was read to its end."""
        return {"status": "ok"}

    return Litestar(
        [healthz, readyz, console.router()],
        on_startup=[process.start],
        on_shutdown=[process.stop],
        exception_handlers={HTTPException: console.error_handler()},
        openapi_config=None,
        logging_config=None,
    )
