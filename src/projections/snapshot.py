"""The read models as of one moment, for `ledger verify`: implements `application.verify.ReadModels`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from application.keys.queries import KeyFigures
from application.queries import Balance, OpenHold, RequestDetail
from projections import balances, key_reader, request_log
from projections.generations import NotInstalled
from projections.projection import Connection, Pool


class ReadModelReader:
    """Opens snapshots on a connection of its own; one that is open holds back the vacuum and the switch of a rebuild."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def snapshot(self) -> "Iterator[Snapshot]":
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # It may idle for long while the log is folded.
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            # Taken first: a rebuild that wants to drop or replace these waits until the snapshot ends.
            connection.execute(
                "LOCK TABLE balances, open_holds, request_log, request_attempts, api_keys, key_uses IN ACCESS SHARE MODE"
            )
            yield Snapshot(connection)


class Snapshot:
    """Answers as of the moment it was made."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        positions: dict[str, int] = dict(
            connection.execute("SELECT name, position FROM projections").fetchall()
        )
        try:
            self.balances_position = positions["balances"]
            self.requests_position = positions["request_log"]
            self.keys_position = positions["keys"]
        except KeyError as missing:
            raise NotInstalled(*missing.args) from None

    def balances(self) -> Iterator[Balance]:
        yield from balances.select_all(self._connection)

    def open_holds(self) -> Iterator[OpenHold]:
        yield from balances.select_open_holds(self._connection)

    def requests(self, request_ids: Sequence[UUID]) -> dict[UUID, RequestDetail]:
        return request_log.select(self._connection, request_ids)

    def key_figures(self) -> Iterator[KeyFigures]:
        yield from key_reader.select_figures(self._connection)

    def request_count(self) -> int:
        return self._count("SELECT count(*) FROM request_log")

    def attempt_count(self) -> int:
        return self._count("SELECT count(*) FROM request_attempts")

    def _count(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        assert row is not None
        return int(row[0])
