"""The content hash of a read model: equal if and only if all rows are equal, to the byte."""

import hashlib

from application.projections import ContentHash
from projections.generations import schema_of
from projections.projection import Connection, Projection


def content_hash(connection: Connection, projection: Projection) -> ContentHash:
    """Hash what is in use now, with its position, in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute(
            "SELECT generation, position FROM projections WHERE name = %s", [projection.name]
        ).fetchone()
        assert row is not None
        generation, position = row
        digest, rows = hash_tables(connection, projection, generation=generation)
    return ContentHash(position, digest, rows)


def hash_tables(connection: Connection, projection: Projection, *, generation: int) -> tuple[str, int]:
    """SHA-256 over the tables' rows as `COPY` writes them, in key order, and how many rows there were.

    Keys are UUIDs and integers, whose order no collation changes.
    """
    digest = hashlib.sha256()
    rows = 0
    for table in projection.tables:
        digest.update(f"{table.name}\n".encode())
        source = f"{schema_of(projection.name, generation)}.{table.name}"
        with connection.cursor() as cursor:
            query = f"SELECT * FROM {source} ORDER BY {table.key}"  # noqa: S608  # our own names
            with cursor.copy(f"COPY ({query}) TO STDOUT") as lines:
                for line in lines:
                    digest.update(line)
            rows += cursor.rowcount
    return digest.hexdigest(), rows
