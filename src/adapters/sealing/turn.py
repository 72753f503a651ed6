"""One sealer at a time: a session lock in Postgres, which falls with its connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from application.eventlog import LogUnavailable

_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('tokenok.sealing', 0))"
_STILL_THERE: Final = "SELECT 1"


@contextmanager
def sealing_turn(database_url: str, *, application_name: str) -> Iterator[Callable[[], None] | None]:
    """Hold the turn, if nobody else has it; gives what raises `LogUnavailable` once the lock is gone.

    Raises:
        LogUnavailable: the database cannot be reached.
    """
    with _unavailable():
        connection = psycopg.connect(
            database_url,
            autocommit=True,
            application_name=application_name,
            connect_timeout=5,
            options="-c statement_timeout=5000",
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
    with connection:
        with _unavailable():
            is_ours = connection.execute(_LOCK).fetchone() == (True,)
        yield (lambda: _look(connection)) if is_ours else None


def _look(connection: psycopg.Connection) -> None:
    with _unavailable():
        connection.execute(_STILL_THERE)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise LogUnavailable(type(error).__name__) from error
