"""One statement that writes and moves, or does neither."""

from uuid import UUID

import msgspec
import pytest

from projections.generations import require
from projections.projection import Connection, Pool, Write
from projections.writing import store, store_and_move

ONE = UUID(int=1)
_NOTE = Write(
    "INSERT INTO {schema}.open_holds SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %s, 1 WHERE {moved}",
    (7,),
)


def _rows(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM open_holds").fetchone()
    assert row
    return int(row[0])


def test_rows_and_position_are_stored_together(pool: Pool) -> None:
    """From where the read model stands: both change."""
    with pool.connection() as connection:
        standing = require(connection, "balances")
        assert store_and_move(connection, "balances", standing, [_NOTE, _NOTE], position=5)
        assert (require(connection, "balances").position, _rows(connection)) == (5, 2)


def test_a_batch_of_nothing_still_moves(pool: Pool) -> None:
    """Events that the read model does not fold are passed."""
    with pool.connection() as connection:
        assert store_and_move(connection, "balances", require(connection, "balances"), (), position=5)
        assert (require(connection, "balances").position, _rows(connection)) == (5, 0)


@pytest.mark.parametrize("change", ["position = 3", "generation = 2"])
def test_nothing_is_stored_when_it_stands_elsewhere(pool: Pool, change: str) -> None:
    """Moved by somebody else, or other tables in use: no row, no move."""
    with pool.connection() as connection:
        believed = require(connection, "balances")
        connection.execute(f"UPDATE projections SET {change} WHERE name = 'balances'")
        stands = require(connection, "balances")
        assert not store_and_move(connection, "balances", believed, [_NOTE], position=5)
        assert (require(connection, "balances"), _rows(connection)) == (stands, 0)


def test_what_is_new_is_copied_unless_it_is_not_new(pool: Pool) -> None:
    """A log that says something twice fails nothing: the statement decides what becomes of it."""
    statement = (
        "INSERT INTO {schema}.open_holds SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[]) "
        "WHERE {moved} ON CONFLICT (request_id) DO UPDATE SET hold_nano = excluded.hold_nano"
    )
    new_in = "open_holds (request_id, account_id, lease_id, hold_nano, since_us)"
    with pool.connection() as connection:
        schema = require(connection, "balances").schema("balances")
        for hold_nano in (5, 6):
            rows = [(UUID(int=number), ONE, ONE, hold_nano, 1) for number in range(hold_nano)]
            store(connection, schema, [Write(statement, rows=rows, new_in=new_in), _NOTE])
        found = connection.execute(
            "SELECT hold_nano, count(*) FROM open_holds GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert found == [(6, 6), (7, 2)]


def test_the_alarm_ends_only_with_the_move(pool: Pool) -> None:
    """A read model that is past its failure is no longer stopped; one that did not move still is."""
    with pool.connection() as connection:
        connection.execute("INSERT INTO projection_failures VALUES ('balances', 4, 'Broken', 1, 0)")
        standing = require(connection, "balances")
        elsewhere = msgspec.structs.replace(standing, position=1)
        assert not store_and_move(connection, "balances", elsewhere, (), position=5)
        assert store_and_move(connection, "balances", standing, (), position=3)
        assert require(connection, "balances").failed_position == 4
        assert store_and_move(connection, "balances", standing.moved_to(3), (), position=4)
        assert require(connection, "balances").failed_position is None
