"""What a starting process reads of a long log: only what concerns it, however many requests lie in between."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.eventstore import statements
from adapters.eventstore.migrations import migrate, migrations
from adapters.eventstore.store import PostgresEventStore
from application.eventlog import NewEvent
from domain.ids import uuid7

REQUESTS = 200_000
KEYS = 40
OPEN_LEASES = 25
BUFFERS_MAX = 500  # of 8 KiB; the whole log has thousands

FILL = """
INSERT INTO stored_events (originator_id, originator_version, topic, state)
SELECT gen_random_uuid(), 1, CASE
        WHEN n %% %(each)s = 0 THEN 'key.issued.v1'
        WHEN n %% 8 = 1 THEN 'wallet.lease-extended.v1'
        WHEN n %% 2 = 1 THEN 'lease.request-admitted.v1'
        ELSE 'lease.usage-charged.v1' END, '{}'
FROM generate_series(1, %(requests)s) AS n
"""


@pytest.fixture(scope="module")
def long_url(postgres_url: str, database_template: str) -> Iterator[str]:
    """A log with many requests, a few keys, and some open leases among many that have ended."""
    name = f"long_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(database_template)
            )
        )
        url = make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name})
        with psycopg.connect(url, autocommit=True) as connection, PostgresEventStore(url) as log:
            for _ in range(4):
                leases = [uuid7() for _ in range(250)]
                log.append([NewEvent(lease, 1, "lease.opened.v1", b"{}") for lease in leases])
                log.append([NewEvent(lease, 2, "lease.closed.v1", b"{}") for lease in leases])
            connection.execute(FILL, {"each": REQUESTS // KEYS, "requests": REQUESTS})
            log.append([NewEvent(uuid7(), 1, "lease.opened.v1", b"{}") for _ in range(OPEN_LEASES)])
            connection.execute("VACUUM ANALYZE")
        yield url
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def explained(url: str, query: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a reading from the start of the log, as it was carried out."""
    with psycopg.connect(url) as connection:
        row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", (0, 1000)).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return list(nodes(plan[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (statements.CONTROL, "stored_events_control_idx"),
        (statements.OPEN_LEASES, "stored_events_notification_id_idx"),
    ],
    ids=["directory", "reaper"],
)
def test_a_start_reads_only_what_concerns_it(long_url: str, query: str, index: str) -> None:
    """By an index, without looking at one event of a request: the work does not grow with the log."""
    plan = explained(long_url, query)
    assert index in {node.get("Index Name") for node in plan}
    assert "stored_events" not in {
        node.get("Relation Name") for node in plan if node["Node Type"] == "Seq Scan"
    }
    assert sum(node.get("Rows Removed by Filter", 0) for node in plan) == 0
    touched = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
    assert touched < BUFFERS_MAX, plan


def test_a_start_finds_all_that_concerns_it(long_url: str) -> None:
    """Every key and every open lease, and no lease that has ended."""
    with PostgresEventStore(long_url) as log:
        keys = log.read_control(after_position=0, limit=1000)
        leases = log.read_open_leases(after_position=0, limit=1000)
    assert [key.topic for key in keys] == ["key.issued.v1"] * KEYS
    assert len(leases) == OPEN_LEASES


def test_leases_that_are_open_already_are_known_after_the_migration(database_url: str) -> None:
    """A log from before the table of open leases: the migration finds them, and none that has ended."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TRIGGER stored_events_open_leases ON stored_events")
        connection.execute("DROP FUNCTION tokenok_note_open_lease; DROP TABLE open_leases")
        connection.execute("DELETE FROM schema_migrations WHERE version = 3")
    still_open, ended = uuid7(), uuid7()
    with PostgresEventStore(database_url) as log:
        log.append([NewEvent(lease, 1, "lease.opened.v1", b"{}") for lease in (still_open, ended)])
        log.append([NewEvent(ended, 2, "lease.fenced.v1", b"{}")])
        assert [one.version for one in migrate(database_url, migrations())] == [3]
        found = log.read_open_leases(after_position=0, limit=10)
        log.append([NewEvent(still_open, 2, "lease.closed.v1", b"{}")])
        assert [one.stream_id for one in found] == [still_open]
        assert log.read_open_leases(after_position=0, limit=10) == []
