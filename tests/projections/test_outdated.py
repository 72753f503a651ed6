"""Whoever reads tables of another version is told which read models wait, and nobody else is."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import UndefinedColumn, UndefinedTable

from application.projections import ReadModelOutdated
from projections.balances import Balances
from projections.outdated import ReadingPool, versions_of
from projections.projection import Pool
from projections.request_log import RequestLog


@pytest.fixture
def reading(pool: Pool, projections_url: str) -> Iterator[ReadingPool]:
    """Connections to the two read models of `pool`."""
    versions = versions_of((Balances(), RequestLog()))
    with ReadingPool(
        projections_url, versions=versions, kwargs={"autocommit": True}, min_size=0, max_size=1
    ) as opened:
        yield opened


def _read(reading: ReadingPool, statement: str) -> None:
    with reading.connection() as connection:
        connection.execute(statement)


@pytest.mark.parametrize("statement", ["SELECT nothing FROM balances", "SELECT * FROM nowhere"])
def test_a_read_model_that_waits_is_named(pool: Pool, reading: ReadingPool, statement: str) -> None:
    """A column or table that is not there, and tables of another version: that is why."""
    with pool.connection() as connection:
        connection.execute("UPDATE projections SET version = version + 1 WHERE name = 'balances'")
    with pytest.raises(ReadModelOutdated) as refused:
        _read(reading, statement)
    assert refused.value.names == ("balances",)
    assert "tokenok projections rebuild" in str(refused.value)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [("SELECT nothing FROM balances", UndefinedColumn), ("SELECT * FROM nowhere", UndefinedTable)],
)
def test_a_mistake_of_ours_stays_one(reading: ReadingPool, statement: str, kind: type[psycopg.Error]) -> None:
    """Nothing waits: the error is as Postgres says it."""
    with pytest.raises(kind) as refused:
        _read(reading, statement)
    assert not isinstance(refused.value, ReadModelOutdated)


def test_who_takes_a_missing_table_for_an_empty_one_still_does(pool: Pool, reading: ReadingPool) -> None:
    """Readers that answer "nothing" before the first worker has run."""
    with pool.connection() as connection:
        connection.execute("UPDATE projections SET version = 0 WHERE name = 'balances'")
    with pytest.raises(UndefinedTable):
        _read(reading, "SELECT * FROM nowhere")
