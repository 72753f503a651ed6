"""The `eventsourcing` library's recorder over our log: its readers as they are, our append instead of its own.

For tools and low-rate aggregates that use the library. The stock recorder may write beside it: its table lock and our
insert exclude each other. The library's own subscriptions are not woken by our appends; they need a poll.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.eventstore.batch import Batch
from application.eventlog import NewEvent, VersionConflict

_TABLE: Final = "stored_events"
_ALL_PARTS: Final = "event_log"
_ARCHIVED: Final = "SELECT until_position FROM log_archive WHERE until_position > 0"
_ATTEMPTS_MAX: Final = 10
_RETRY_WAIT_S: Final = 0.2


class TokenokRecorder(PostgresApplicationRecorder):
    """Use it on a migrated database; it makes no tables, types or functions.

    Raises:
        ProgrammingError: the library's database functions are switched on. They append without the lock that
            orders the log, so that its readers lose events for good. Or a part of the log has left for the
            archive, which the library's readers would pass over in silence.
    """

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = _TABLE) -> None:
        if datastore.enable_db_functions:
            raise ProgrammingError(
                "POSTGRES_ENABLE_DB_FUNCTIONS must be off: with it, readers of the log lose events"
            )
        if events_table_name != _TABLE or datastore.originator_id_type != "uuid":
            raise ProgrammingError(f"the log is the table {_TABLE}, its streams have UUIDs")
        super().__init__(datastore, events_table_name=_ALL_PARTS)
        self.sql_create_statements.clear()
        with datastore.get_connection() as connection:
            if connection.execute(_ARCHIVED).fetchone():
                raise ProgrammingError("a part of the log is in the archive, where the library does not read")

    def create_table(self) -> None:
        """Do nothing: tables are made by the migration command."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append all or nothing; returns their positions.

        Raises:
            IntegrityError: a stream's head is elsewhere, and what is there is not these events. Nothing was stored.
            OperationalError, InterfaceError: the database stayed away; whether they are stored is unknown when a
                connection was lost on the way.
        """
        if not stored_events:
            return []
        batch = Batch([[_new_event(event) for event in stored_events]])
        (outcome,) = self._commit(batch)
        if isinstance(outcome, VersionConflict):
            raise IntegrityError(str(outcome))
        return range(outcome - len(stored_events) + 1, outcome + 1)

    def _commit(self, batch: Batch) -> list[int | VersionConflict]:
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                with self.datastore.get_connection() as connection:
                    return batch.commit(connection)
            except (OperationalError, InterfaceError):
                if attempt == _ATTEMPTS_MAX:
                    raise
                time.sleep(_RETRY_WAIT_S)
            except IntegrityError as error:
                # A stock recorder came between our check and our insert: look again.
                if attempt == _ATTEMPTS_MAX or not isinstance(
                    error.__cause__, psycopg.errors.UniqueViolation
                ):
                    raise
        raise AssertionError


def _new_event(event: StoredEvent) -> NewEvent:
    assert not isinstance(event.originator_id, str)
    return NewEvent(event.originator_id, event.originator_version, event.topic, event.state)
