"""Stores what a batch changes, in one statement, which is a transaction of its own: one round trip, all or nothing.

A statement begins with `moved`: the position goes on from where this process believes it to be. If it is elsewhere,
or a rebuild has put other tables to use, `moved` is empty and nothing else in the statement does anything.
"""

from collections.abc import Sequence

from projections.catalog import Standing
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
    parameters = [value for write in (move, *writes) for value in write.parameters]
    found = connection.execute(f"WITH {', '.join(parts)} SELECT FROM moved", parameters)
    return found.rowcount == 1


def store(connection: Connection, schema: str, writes: Sequence[Write]) -> None:
    """Write to tables that are not in use."""
    if writes:
        parameters = [value for write in writes for value in write.parameters]
        parts = _named(writes, schema=schema, condition="true")
        connection.execute(f"WITH {', '.join(parts)} SELECT", parameters)


def _named(writes: Sequence[Write], *, schema: str, condition: str) -> list[str]:
    return [
        f"write_{number} AS ({write.statement.format(schema=schema, moved=condition)})"
        for number, write in enumerate(writes)
    ]
