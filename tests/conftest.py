"""Shared fixtures: real servers, started once per process of the tests by our own supervisor.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name servers to use instead (their user must be allowed to create databases).
"""

import gc
import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.embedded import EmbeddedServers
from tests.databases import in_haste, sound_servers
from tests.processes import ByFile, longest_first
from tests.told import Tell, teller, told_in


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Ten thousand tests and the modules they need stay; looking at them again and again took a fifth of light tests' time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """What turns the collector off for good makes all tests after it keep their memory: that came to 10 GB once."""
    if not gc.isenabled():
        gc.enable()
        pytest.fail("the garbage collector was left turned off")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        longest_first(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for nodeid, text in told_in(report for reports in terminalreporter.stats.values() for report in reports):
        terminalreporter.section(nodeid, sep="-")
        terminalreporter.write_line(text)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Says something at the end of the run."""
    return teller(request.node)


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[EmbeddedServers]:
    """The session's own servers; nothing runs until one of the addresses below is asked for."""
    with sound_servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A Postgres whose user may create databases; ask for `database_url` unless you need the server itself."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    return given or in_haste(request.getfixturevalue("embedded_servers").start_postgres())


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """A Redis or Valkey shared by the whole session: use key names of your own."""
    given = os.environ.get("TEST_REDIS_URL", "")
    return given or request.getfixturevalue("embedded_servers").start_valkey()


@pytest.fixture(scope="session")
def database_template() -> str:
    """The database that `database_url` copies; a folder may override it with a migrated one."""
    return "template1"


@pytest.fixture
def database_url(postgres_url: str, database_template: str) -> Iterator[str]:
    """The address of a database of this test's own, dropped afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(database_template)
            )
        )
    yield _with_database(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    """The same server, another database; URLs stay URLs, for code that parses them."""
    if url.startswith(("postgresql://", "postgres://")):
        head, question, query = url.partition("?")
        return f"{head[: head.rindex('/')]}/{name}{question}{query}"
    return make_conninfo(url, dbname=name)
