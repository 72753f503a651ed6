"""Where read models stand: their tables by generation, the views that show them, and their place in the log.

Owns the tables `projections` and `projection_failures` and the schemas `rm_<name>_<generation>`.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
import structlog
from psycopg import errors, sql

from projections.projection import Connection, Projection

_LOCK_TIMEOUT_S = 0.3

log = structlog.get_logger()


class NotInstalled(Exception):
    """The tables of a read model are missing: run the migrations. Nothing was done."""


class Standing(msgspec.Struct, frozen=True):
    """Which tables a read model uses, and the last event that is in them."""

    version: int
    generation: int
    position: int
    failed_position: int | None = None

    def schema(self, name: str) -> str:
        return schema_of(name, self.generation)

    def has_recovered(self, position: int) -> bool:
        """True if the read model had stopped, and `position` is past the event that it stopped at."""
        return self.failed_position is not None and self.failed_position <= position

    def moved_to(self, position: int) -> "Standing":
        return Standing(self.version, self.generation, position, self.failed_position)


def schema_of(name: str, generation: int) -> str:
    return f"rm_{name}_{generation}"


def lock_key(purpose: Literal["run", "rebuild", "install"], name: str) -> int:
    """The key of an advisory lock: 64 bits of a hash, signed."""
    digest = hashlib.sha256(f"tokenok:projection:{purpose}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def install(connection: Connection, projections: Sequence[Projection]) -> tuple[str, ...]:
    """Make what is missing; for the migration command, not for servers.

    Returns the names of those whose tables are of another version of the code and wait for a rebuild.
    """
    outdated = []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("install", "")])
        for projection in projections:
            standing = find(connection, projection.name)
            if standing is None:
                _install(connection, projection)
                continue
            if standing.version != projection.version:
                outdated.append(projection.name)
            _drop_if_idle(connection, projection.name)
    return tuple(outdated)


def _install(connection: Connection, projection: Projection) -> None:
    create_tables(connection, projection, generation=1)
    loosen(connection, projection, generation=1)
    create_indexes(connection, projection, generation=1)
    show(connection, projection, generation=1)
    connection.execute(
        "INSERT INTO projections (name, version, generation, position) VALUES (%s, %s, 1, 0)",
        [projection.name, projection.version],
    )


def _drop_if_idle(connection: Connection, name: str) -> None:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_key("rebuild", name)]).fetchone()
    if row and row[0]:
        drop_leftovers(connection, name)


def find(connection: Connection, name: str) -> Standing | None:
    """How a read model stands, `None` when it is not installed."""
    row = connection.execute(
        "SELECT p.version, p.generation, p.position, f.position FROM projections p "
        "LEFT JOIN projection_failures f USING (name) WHERE name = %s",
        [name],
    ).fetchone()
    return None if row is None else Standing(*row)


def require(connection: Connection, name: str) -> Standing:
    """As `find`.

    Raises:
        NotInstalled: there is no such row.
    """
    standing = find(connection, name)
    if standing is None:
        raise NotInstalled(name)
    return standing


def create_tables(connection: Connection, projection: Projection, *, generation: int) -> None:
    """Make the tables of a generation; their pages are filled to the brim until `loosen`."""
    schema = sql.Identifier(schema_of(projection.name, generation))
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    for table in projection.tables:
        connection.execute(f"CREATE TABLE {_qualified(projection, generation, table.name)} ({table.columns})")


def loosen(connection: Connection, projection: Projection, *, generation: int) -> None:
    """From now on leave room on the pages, for rows that change; what a rebuild wrote hardly does any more."""
    for table in projection.tables:
        name = _qualified(projection, generation, table.name)
        connection.execute(f"ALTER TABLE {name} SET (fillfactor = {table.fillfactor})")


def create_indexes(connection: Connection, projection: Projection, *, generation: int) -> None:
    for table in projection.tables:
        for index in table.indexes:
            connection.execute(f"CREATE INDEX ON {_qualified(projection, generation, table.name)} {index}")


def show(
    connection: Connection, projection: Projection, *, generation: int, is_new_shape: bool = True
) -> None:
    """Point the views at a generation. Kept views keep the rights that were granted on them."""
    for table in projection.tables:
        if is_new_shape:
            connection.execute(f"DROP VIEW IF EXISTS {table.name}")
        source = _qualified(projection, generation, table.name)
        connection.execute(f"CREATE OR REPLACE VIEW {table.name} AS SELECT * FROM {source}")  # noqa: S608  # our names


def leftovers(connection: Connection, name: str, *, in_use: int) -> list[str]:
    """Schemas of other generations than the one in use: of rebuilds that died, or not dropped yet."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ %s AND nspname <> %s",
        [f"^rm_{name}_[0-9]+$", schema_of(name, in_use)],
    )
    return [schema for (schema,) in rows]


def drop_leftovers(connection: Connection, name: str) -> None:
    """Drop other generations than the one in use; the caller holds the lock of rebuilds. Tables that someone
    still reads stay for the next time.
    """
    in_use = require(connection, name).generation
    for schema in leftovers(connection, name, in_use=in_use):
        try:
            with connection.transaction():
                set_lock_timeout(connection)
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        except errors.LockNotAvailable:
            log.info("projection_leftover_kept", schema=schema)


def set_lock_timeout(connection: Connection) -> None:
    """Wait a little only in this transaction: whoever waits for an exclusive lock blocks all readers behind it."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(_LOCK_TIMEOUT_S * 1000)}ms"])


def _qualified(projection: Projection, generation: int, table: str) -> str:
    return f"{schema_of(projection.name, generation)}.{table}"
