"""What a read model is: its tables, the facts it folds, and how a batch of facts becomes rows.

Rows are a pure function of the log: same events, same rows, whatever the batches, the time or the machine.
So a fold takes everything from the events, and events that a row has seen already leave it unchanged.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol
from uuid import UUID

import msgspec
import psycopg
from psycopg_pool import ConnectionPool

from domain.event import Event

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = ConnectionPool[Connection]


class Located(msgspec.Struct, frozen=True, gc=False):
    """A fact, where it stands in the log, and when the database recorded it there."""

    position: int
    stream_id: UUID
    recorded_us: int
    event: Event
    version: int  #: in its stream


class Table(msgspec.Struct, frozen=True):
    """One table of a read model. `key` gives the order in which its rows are hashed."""

    name: str
    key: str
    columns: str  #: DDL between the brackets
    fillfactor: int = 100  #: how full pages are made while rows come one after the other, in percent
    indexes: tuple[str, ...] = ()  #: `(columns) WHERE ...`, made after a rebuild has filled the table


class Write(msgspec.Struct, frozen=True):
    """One statement that changes rows. `{schema}` is where the tables are; it must do nothing unless `{moved}`.

    With `rows`, its parameters are their columns. `new_in`: `table (columns)` where a rebuild has such rows for the first
    time, unless the log says something twice; there it may copy them.
    """

    statement: str
    parameters: Sequence[object] = ()
    rows: Sequence[Sequence[object]] = ()
    new_in: str = ""


class Projection(Protocol):
    """One read model. Its file also holds its queries and says what it must not be used for."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Raise it when tables or fold change: read models of another version wait for a rebuild."""
    tables: ClassVar[tuple[Table, ...]]
    topics: ClassVar[frozenset[str]]
    """Facts of other topics are passed over unread."""

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        """What a batch of facts changes. May read the rows that it changes from `schema`, and writes nothing.

        The writes become one statement: they see the rows as they were before it, and touch no row twice.
        """
        ...


def topics_of(kinds: Iterable[type[Event]]) -> frozenset[str]:
    return frozenset(kind.TOPIC for kind in kinds)
