"""A migrated database to copy from, for the folders whose tests start from the current schema."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.embedded import EmbeddedServers
from adapters.eventstore.migrations import migrate
from projections.generations import install
from projections.registry import all_projections

_ONLY_FOR_MACHINES_THAT_FAIL = ("fsync", "full_page_writes")


def in_haste(postgres_url: str) -> str:
    """Have that server wait for no disk: tests kill processes, and what a killed one has written is not lost.

    Making and dropping a database waits for the disk several times, and a third of the tests have one of their own.
    """
    with psycopg.connect(postgres_url, autocommit=True) as server:
        for name in _ONLY_FOR_MACHINES_THAT_FAIL:
            server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        server.execute("SELECT pg_reload_conf()")
    return postgres_url


@contextmanager
def sound_postgres() -> Iterator[str]:
    """One as it is in production, for what would complain of another."""
    with sound_servers() as servers:
        yield servers.start_postgres()


@contextmanager
def sound_servers() -> Iterator[EmbeddedServers]:
    """Of a test's own; they may be misconfigured without harm to others."""
    # Not below pytest's own directory: as root that one cannot be entered by the user who runs the servers.
    with TemporaryDirectory(prefix="tokenok-tests-") as scratch:
        Path(scratch).chmod(0o711)
        with EmbeddedServers(Path(scratch, "data")) as servers:
            yield servers


@contextmanager
def migrated_template(postgres_url: str) -> Iterator[str]:
    """The name of a database with all tables, read models included, dropped afterwards."""
    name = f"template_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name})
            migrate(url)
            with psycopg.connect(url, autocommit=True) as connection:
                assert install(connection, all_projections()) == ()
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
