"""Who is alive: a row and a session lock for each gateway process, and a look at everybody's.

The lock falls with the connection, so a killed process is known to be dead at once; the row's age tells of one
that is frozen. Ages are by the database's clock.
"""

import os
import socket
import threading
from uuid import UUID

import psycopg
import structlog

from application.ledger.ports import Liveness
from domain.ledger.events import Owner

RETRY_S = 0.1
RENEWALS_A_LEASE = 4
FORGET_S = 86_400

log = structlog.get_logger()

_ANNOUNCE = """
    INSERT INTO gateway_processes (instance_id, epoch, lock_key, host, pid)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (instance_id) DO UPDATE SET
        epoch = greatest(gateway_processes.epoch, excluded.epoch), seen_at = clock_timestamp(),
        host = excluded.host, pid = excluded.pid
"""
_RENEW = "UPDATE gateway_processes SET seen_at = clock_timestamp() WHERE instance_id = %s"
_FORGET = "DELETE FROM gateway_processes WHERE seen_at < clock_timestamp() - make_interval(secs => %s)"
_LOCKED = """
    EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32 | l.objid::bigint) = p.lock_key
    )
"""
_LIVENESS = f"""
    SELECT p.instance_id, p.epoch, {_LOCKED}, extract(epoch FROM clock_timestamp() - p.seen_at)::float8
    FROM gateway_processes p WHERE p.instance_id = ANY(%s)
"""  # noqa: S608  # built from the constant above
_COUNT = f"""
    SELECT count(*) FROM gateway_processes p
    WHERE p.seen_at > clock_timestamp() - make_interval(secs => %s) AND {_LOCKED}
"""  # noqa: S608  # built from the constant above


def lock_key_of(instance_id: UUID) -> int:
    """The advisory lock of an instance: the low 62, random bits of its id."""
    return instance_id.int & ((1 << 62) - 1)


class PostgresPresence:
    """Answers who is alive. One connection, used by one thread at a time."""

    def __init__(self, database_url: str, *, lease_valid_s: float) -> None:
        self._url = database_url
        self._lease_valid_s = lease_valid_s
        self._connection: psycopg.Connection | None = None
        self._turn = threading.Lock()

    def liveness(self, instance_ids: list[UUID]) -> dict[UUID, Liveness]:
        rows = self._query(_LIVENESS, (instance_ids,))
        return {
            instance_id: Liveness(Owner(instance_id, epoch), has_lock, silent_s)
            for instance_id, epoch, has_lock, silent_s in rows
        }

    def live_gateways(self) -> int:
        return max(1, int(self._query(_COUNT, (2 * self._lease_valid_s,))[0][0]))

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _query(self, statement: str, parameters: tuple[object, ...]) -> list[tuple]:  # type: ignore[type-arg]  # rows differ by query
        with self._turn:
            if self._connection is None or self._connection.closed:
                self._connection = _connect(self._url)
            try:
                return self._connection.execute(statement.encode(), parameters).fetchall()
            except psycopg.OperationalError:
                self._connection.close()
                raise


class PresenceKeeper:
    """Announces one process and keeps its lock, in a thread of its own, until `close`."""

    def __init__(self, database_url: str, *, owner: Owner, lease_valid_s: float) -> None:
        self._url = database_url
        self._owner = owner
        self._renew_s = lease_valid_s / RENEWALS_A_LEASE
        self._stop = threading.Event()
        self._announced = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self, *, timeout_s: float = 30.0) -> None:
        """Returns when the process is announced and holds its lock.

        Raises:
            TimeoutError: the database could not be reached in time; the keeper goes on trying.
        """
        self._thread.start()
        if not self._announced.wait(timeout_s):
            raise TimeoutError("presence: the database could not be reached")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with _connect(self._url) as connection:
                    self._hold(connection)
            except psycopg.Error:
                log.warning("presence_lost")
                self._stop.wait(RETRY_S)

    def _hold(self, connection: psycopg.Connection) -> None:
        instance_id = self._owner.instance_id
        key = lock_key_of(instance_id)
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        connection.execute(_FORGET, (FORGET_S,))
        connection.execute(
            _ANNOUNCE, (instance_id, self._owner.epoch, key, socket.gethostname(), os.getpid())
        )
        self._announced.set()
        while not self._stop.wait(self._renew_s):
            connection.execute(_RENEW, (instance_id,))


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        options="-c statement_timeout=5000",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
        application_name="tokenok-presence",
    )
