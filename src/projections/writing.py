"""Stores what a batch changes, in one statement, which is a transaction of its own: one round trip, all or nothing.

A statement begins with `moved`: the position goes on from where this process believes it to be. If it is elsewhere,
or a rebuild has put other tables to use, `moved` is empty and nothing else in the statement does anything.
"""

from collections.abc import Sequence

from psycopg import errors

from projections.arrays import COPY_FORMAT, column_literals, copy_lines
from projections.generations import Standing
from projections.projection import Connection, Write

_MOVE = """moved AS (
    UPDATE projections SET position = %s WHERE name = %s AND generation = %s AND position = %s RETURNING name
)"""
_RECOVERED = Write("DELETE FROM projection_failures WHERE name IN (SELECT name FROM moved)", ())
_IF_MOVED = "EXISTS (SELECT FROM moved)"


def store_and_move(
    connection: Connection, name: str, standing: Standing, writes: Sequence[Write], *, position: int
) -> bool:
    """Write and move the position; false, and nothing done, if the read model is not where `standing` says."""
    if standing.has_recovered(position):
        writes = [*writes, _RECOVERED]
    move = Write(_MOVE, (position, name, standing.generation, standing.position))
    parts = [_MOVE, *_named(writes, schema=standing.schema(name), condition=_IF_MOVED)]
    parameters = _parameters([move, *writes])
    found = connection.execute(f"WITH {', '.join(parts)} SELECT FROM moved", parameters)
    return found.rowcount == 1


def store(connection: Connection, schema: str, writes: Sequence[Write]) -> None:
    """Write to tables that are not in use; new rows the fast way, unless some turn out not to be new."""
    try:
        with connection.transaction():
            for write in writes:
                if write.new_in:
                    _copy(connection, schema, write)
            _execute(connection, schema, [write for write in writes if not write.new_in])
    except errors.UniqueViolation:
        _execute(connection, schema, writes)


def _copy(connection: Connection, schema: str, write: Write) -> None:
    statement = f"COPY {schema}.{write.new_in} FROM STDIN {COPY_FORMAT}"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(copy_lines(write.rows))


def _execute(connection: Connection, schema: str, writes: Sequence[Write]) -> None:
    if writes:
        parts = _named(writes, schema=schema, condition="true")
        connection.execute(f"WITH {', '.join(parts)} SELECT", _parameters(writes))


def _parameters(writes: Sequence[Write]) -> list[object]:
    found: list[object] = []
    for write in writes:
        found += write.parameters
        if write.rows:
            found += column_literals(write.rows)
    return found


def _named(writes: Sequence[Write], *, schema: str, condition: str) -> list[str]:
    return [
        f"write_{number} AS ({write.statement.format(schema=schema, moved=condition)})"
        for number, write in enumerate(writes)
    ]
