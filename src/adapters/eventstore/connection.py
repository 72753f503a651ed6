"""How this package talks to Postgres: connections that notice a dead or silent server, and their session.

Nothing here waits for ever: a peer that is gone is noticed by TCP, a server that is there but silent by `answer_s`,
a statement or a lock that takes too long by the server itself. Sessions are set up and kept, so PgBouncer in
transaction mode cannot stand in between.
"""

from typing import Any, Final

import msgspec
import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import TupleRow

_POSTGRES_EPOCH_US: Final = 946_684_800_000_000
_VERSION_MIN: Final = 150_000


class PostgresTooOld(psycopg.OperationalError):
    """The server is older than Postgres 15; nothing was changed on it."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for the database. The server's limits lie below `answer_s`, so that it speaks first."""

    connect_s: int = 3
    answer_s: float = 6.0
    """The longest wait for an answer; after it the connection is closed and what was asked is in doubt."""
    resolve_s: float = 6.0
    """How long to find out about an append in doubt before its caller is told that nobody knows."""
    statement_s: float = 5.0
    lock_s: float = 3.0
    idle_in_transaction_s: float = 5.0


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection that gives up on a silent server, such as one that is frozen: it is closed and raises."""

    answer_s: float = Limits().answer_s

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class _MicrosecondsLoader(Loader):
    """Reads `timestamptz` as Unix microseconds, without a detour over `datetime`."""

    format = Format.BINARY

    def load(self, data: Any) -> int:
        return int.from_bytes(data, "big", signed=True) + _POSTGRES_EPOCH_US


def connection_arguments(database_url: str, *, limits: Limits, application_name: str) -> dict[str, Any]:
    """The arguments of `connect`; what `database_url` sets itself wins."""
    return {
        "connect_timeout": limits.connect_s,
        "application_name": application_name,
        "keepalives": 1,
        "keepalives_idle": 3,
        "keepalives_interval": 1,
        "keepalives_count": 4,
        "tcp_user_timeout": 8000,
        **conninfo_to_dict(database_url),
    }


def prepare_session(connection: psycopg.Connection[Any], *, limits: Limits) -> None:
    """Set the session's limits; the connection must be in autocommit.

    Raises:
        PostgresTooOld: with what was found and what is needed.
    """
    if connection.info.server_version < _VERSION_MIN:
        found = connection.info.parameter_status("server_version")
        raise PostgresTooOld(f"Postgres 15 or later is needed, the server is {found}")
    connection.adapters.register_loader("timestamptz", _MicrosecondsLoader)
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false), "
        "set_config('idle_in_transaction_session_timeout', %s, false)",
        [f"{int(s * 1000)}ms" for s in (limits.statement_s, limits.lock_s, limits.idle_in_transaction_s)],
    )


def connect(database_url: str, *, limits: Limits, application_name: str) -> BoundedConnection:
    """Open one connection in autocommit.

    Raises:
        psycopg.OperationalError: the server cannot be reached in time.
        PostgresTooOld: it can, but is of no use.
    """
    arguments = connection_arguments(database_url, limits=limits, application_name=application_name)
    connection = BoundedConnection.connect(**arguments, autocommit=True)
    connection.answer_s = limits.answer_s
    try:
        prepare_session(connection, limits=limits)
    except BaseException:
        connection.close()
        raise
    return connection
