"""Read models whose tables are of another version of the code: which, and what whoever reads them is told.

After an upgrade readers meet tables without a column, or none at all, until a rebuild has switched to new ones. Postgres says that
as it would of a mistake of ours; here it is looked up what is behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg_pool import ConnectionPool, PoolTimeout

from application.projections import ReadModelOutdated
from projections.projection import Connection, Projection

_VERSIONS = "SELECT name, version FROM projections"


class MissingTable(ReadModelOutdated, UndefinedTable):
    """As readers know it that answer "nothing" before the first worker has run."""


def versions_of(projections: Sequence[Projection]) -> dict[str, int]:
    """Of the code."""
    return {one.name: one.version for one in projections}


def outdated(connection: Connection, versions: Mapping[str, int]) -> tuple[str, ...]:
    """The names of those that wait for a rebuild: their tables are of another version than the code's."""
    standing: dict[str, int] = dict(connection.execute(_VERSIONS).fetchall())
    return tuple(name for name, version in versions.items() if standing.get(name, version) != version)


def of_earlier_code(connection: Connection, versions: Mapping[str, int]) -> tuple[str, ...]:
    """As `outdated`, without those that a later version of the code has built."""
    standing: dict[str, int] = dict(connection.execute(_VERSIONS).fetchall())
    return tuple(name for name, version in versions.items() if standing.get(name, version) < version)


class ReadingPool(ConnectionPool[psycopg.Connection[Any]]):
    """Connections for who reads read models: `connection` raises `ReadModelOutdated` where that is what is wrong."""

    def __init__(self, conninfo: str, *, versions: Mapping[str, int], **more: Any) -> None:
        """`versions`: of the code, by read model."""
        self._versions = versions
        super().__init__(conninfo, **more)

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[psycopg.Connection[Any]]:
        try:
            with super().connection(timeout) as connection:
                yield connection
        except UndefinedTable as error:
            raise self._explained(error, MissingTable) from error
        except UndefinedColumn as error:
            raise self._explained(error, ReadModelOutdated) from error

    def _explained(self, error: psycopg.Error, kind: type[ReadModelOutdated]) -> Exception:
        """The same error if no read model waits, or nobody can tell."""
        try:
            with super().connection() as connection:
                names = outdated(connection, self._versions)
        except (psycopg.Error, PoolTimeout):
            return error
        return kind(names) if names else error
