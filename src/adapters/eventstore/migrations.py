"""Brings a database to this code's schema: plain SQL files, each applied once, whole or not at all.

Files are `migrations/NNNN_name.sql` beside this module; any adapter may add some. They are applied in the order of
their numbers by the migration command, never by servers. A file that was applied must never change: add another.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec
import psycopg

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK: Final = "SELECT pg_advisory_lock(hashtextextended('tokenok.migrations', 0))"
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        sha256     text NOT NULL
    )"""


class MigrationError(Exception):
    """The schema cannot be brought up to date; files before the one named are applied, that one is not."""


class Migration(msgspec.Struct, frozen=True):
    version: int
    name: str
    sql: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql).hexdigest()


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """The files of `folder` (default: this package's) by number.

    Raises:
        MigrationError: a name has not the form `NNNN_name.sql`, or a number is used twice.
    """
    found: dict[int, Migration] = {}
    source = files("adapters.eventstore") / "migrations" if folder is None else folder
    for file in sorted(source.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE_NAME.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"{file.name}: a migration is named NNNN_name.sql")
        version, name = int(match[1]), match[2]
        if version in found:
            raise MigrationError(f"{file.name}: {found[version].name} has the number {version:04} already")
        found[version] = Migration(version, name, file.read_bytes())
    return list(found.values())


def migrate(database_url: str, wanted: Sequence[Migration] | None = None) -> list[Migration]:
    """Apply what is missing and return it. Several processes may do so at once: one works, the others wait.

    Raises:
        MigrationError: an applied file has changed, the database knows a newer one, or the SQL failed.
        psycopg.OperationalError: the database cannot be reached.
    """
    known = migrations() if wanted is None else wanted
    with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
        # The wait for another process may be long; a wait for a table that someone uses must not be, since
        # everyone else queues behind it.
        connection.execute("SET lock_timeout = '120s'")
        connection.execute(_LOCK)
        connection.execute("SET lock_timeout = '10s'")
        connection.execute(_TABLE)
        missing = _missing(connection, known)
        for migration in missing:
            _apply(connection, migration)
    return missing


def pending(database_url: str) -> list[Migration]:
    """What `migrate` would apply, changing nothing; for start-up checks. Raises as `migrate` does."""
    with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
        row = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
        return _missing(connection, migrations()) if row == (True,) else migrations()


def _missing(connection: psycopg.Connection, known: Sequence[Migration]) -> list[Migration]:
    rows: list[tuple[int, str]] = connection.execute(
        "SELECT version, sha256 FROM schema_migrations"
    ).fetchall()
    applied = dict(rows)
    newer = applied.keys() - {migration.version for migration in known}
    if newer:
        raise MigrationError(f"the database is newer than this code: it has migration {max(newer):04}")
    for migration in known:
        if applied.get(migration.version, migration.sha256) != migration.sha256:
            raise MigrationError(
                f"{migration.version:04}_{migration.name}.sql was changed after it was applied: "
                "restore it and write a new file"
            )
    return [migration for migration in known if migration.version not in applied]


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_migrations (version, name, sha256) VALUES (%s, %s, %s)",
                (migration.version, migration.name, migration.sha256),
            )
    except psycopg.Error as error:
        raise MigrationError(f"{migration.version:04}_{migration.name}.sql failed: {error}") from error
