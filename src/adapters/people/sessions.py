"""The tables `people_sessions` and `sign_in_failures`."""

from typing import Final, cast
from uuid import UUID

from adapters.vault.session import Pool, transaction
from application.people.ports import Session, Stage

IDLE_US: Final = 12 * 3600 * 1_000_000
"""A session that nothing was asked with for so long is over, before its own end."""
_SEEN_EVERY_US: Final = 60 * 1_000_000
_FIELDS: Final = ("session_id", "person_id", "stage", "made_us", "seen_us", "expires_us", "address", "agent")
_FIND: Final = """
    SELECT session_id, person_id, stage, made_us, seen_us, expires_us, address, agent FROM people_sessions
    WHERE secret_hash = %(hash)s AND expires_us > %(now)s AND seen_us > %(now)s - %(idle)s"""
_OF: Final = """
    SELECT session_id, person_id, stage, made_us, seen_us, expires_us, address, agent FROM people_sessions
    WHERE person_id = %(person)s AND stage = 'full' AND expires_us > %(now)s AND seen_us > %(now)s - %(idle)s
    ORDER BY seen_us DESC LIMIT 100"""
_OPEN: Final = """
    INSERT INTO people_sessions
        (secret_hash, session_id, person_id, stage, made_us, seen_us, expires_us, address, agent)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_CLEAN: Final = """
    DELETE FROM people_sessions WHERE session_id IN (
        SELECT session_id FROM people_sessions WHERE expires_us <= %s ORDER BY expires_us LIMIT 100
        FOR UPDATE SKIP LOCKED)"""
# The row is locked by the conflict, and then judged as the one before has left it.
_TAKE: Final = """
    INSERT INTO sign_in_failures AS old (bucket, failures, begun_us) VALUES (%(bucket)s, 1, %(now)s)
    ON CONFLICT (bucket) DO UPDATE
        SET failures = CASE WHEN old.begun_us >= %(since)s THEN old.failures + 1 ELSE 1 END,
            begun_us = CASE WHEN old.begun_us >= %(since)s THEN old.begun_us ELSE excluded.begun_us END
        WHERE old.begun_us < %(since)s OR old.failures < %(most)s"""
_GIVE_BACK: Final = "UPDATE sign_in_failures SET failures = failures - 1 WHERE bucket = %s AND failures > 0"
_CLEAN_FAILURES: Final = """
    DELETE FROM sign_in_failures WHERE bucket IN (
        SELECT bucket FROM sign_in_failures WHERE begun_us < %s ORDER BY begun_us LIMIT 100
        FOR UPDATE SKIP LOCKED)"""


class PostgresSessions:
    """See `application.people.ports.Sessions`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def open(self, session: Session, *, secret_hash: bytes) -> None:
        values = [getattr(session, name) for name in _FIELDS]
        with transaction(self._pool) as connection:
            connection.execute(_CLEAN, (session.made_us,))
            connection.execute(_OPEN, (secret_hash, *values))

    def find(self, secret_hash: bytes, *, now_us: int) -> Session | None:
        values = {"hash": secret_hash, "now": now_us, "idle": IDLE_US}
        with transaction(self._pool) as connection:
            row = connection.execute(_FIND, values).fetchone()
            session = None if row is None else _session(row)
            if session is not None and now_us - session.seen_us >= _SEEN_EVERY_US:
                connection.execute(
                    "UPDATE people_sessions SET seen_us = %s WHERE session_id = %s",
                    (now_us, session.session_id),
                )
        return session

    def of(self, person_id: UUID, *, now_us: int) -> list[Session]:
        values = {"person": person_id, "now": now_us, "idle": IDLE_US}
        with transaction(self._pool) as connection:
            return [_session(row) for row in connection.execute(_OF, values)]

    def close(self, session_id: UUID, *, person_id: UUID) -> None:
        with transaction(self._pool) as connection:
            connection.execute(
                "DELETE FROM people_sessions WHERE session_id = %s AND person_id = %s",
                (session_id, person_id),
            )

    def close_all(self, person_id: UUID, *, but: UUID | None = None) -> None:
        with transaction(self._pool) as connection:
            connection.execute(
                "DELETE FROM people_sessions WHERE person_id = %s AND session_id IS DISTINCT FROM %s",
                (person_id, but),
            )


class PostgresFailures:
    """See `application.people.ports.Failures`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def take(self, bucket: bytes, *, most: int, now_us: int, since_us: int) -> bool:
        values = {"bucket": bucket, "most": most, "now": now_us, "since": since_us}
        with transaction(self._pool) as connection:
            connection.execute(_CLEAN_FAILURES, (since_us,))
            return connection.execute(_TAKE, values).rowcount == 1

    def give_back(self, bucket: bytes) -> None:
        with transaction(self._pool) as connection:
            connection.execute(_GIVE_BACK, (bucket,))

    def forget(self, bucket: bytes) -> None:
        with transaction(self._pool) as connection:
            connection.execute("DELETE FROM sign_in_failures WHERE bucket = %s", (bucket,))


def _session(row: tuple[object, ...]) -> Session:
    session_id, person_id, stage, made_us, seen_us, expires_us, address, agent = row
    return Session(
        session_id=cast("UUID", session_id),
        person_id=cast("UUID", person_id),
        stage=cast("Stage", stage),
        made_us=cast("int", made_us),
        seen_us=cast("int", seen_us),
        expires_us=cast("int", expires_us),
        address=cast("str", address),
        agent=cast("str", agent),
    )
