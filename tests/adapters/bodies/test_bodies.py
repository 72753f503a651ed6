"""Kept bodies in Postgres: encrypted, by day, gone with their account or their time, and never in anybody's way."""

import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.bodies.store import PostgresBodies, drop_old_bodies
from adapters.bodies.writer import BodyWriter
from adapters.vault.master_keys import MasterKeys
from adapters.vault.personal_data import PostgresPersonalData
from adapters.vault.session import Pool
from application.bodies.ports import Body
from application.vault import VaultDamaged
from domain.ids import uuid7
from domain.privacy import SubjectErased
from tests.databases import migrated_template

CANARY = b"what nobody else may read"
KEYS = MasterKeys({"k": b"k" * 31 + b"1"})


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with ConnectionPool(database_url, kwargs={"autocommit": True}, min_size=0, max_size=2) as opened:
        yield opened


@pytest.fixture
def personal(pool: Pool) -> PostgresPersonalData:
    return PostgresPersonalData(pool, KEYS)


@pytest.fixture
def bodies(pool: Pool, personal: PostgresPersonalData) -> PostgresBodies:
    return PostgresBodies(pool, personal)


def body_of(account_id: UUID, *, request: bytes = CANARY) -> Body:
    return Body(
        request_id=uuid7(),
        account_id=account_id,
        key_id=uuid7(),
        began_us=1,
        status=200,
        complete=True,
        request_bytes=len(request),
        response_bytes=2,
        request=request,
        response=b"\x00\xff",
    )


def test_a_body_is_read_back_as_it_was(bodies: PostgresBodies) -> None:
    """Also bytes that are no text; kept twice it is kept once."""
    body = body_of(uuid7())
    for _ in range(2):
        bodies.keep(body)
    assert bodies.account_of(body.request_id) == body.account_id
    assert bodies.read(body.request_id) == body
    assert bodies.account_of(uuid7()) is None
    assert bodies.read(uuid7()) is None


def test_nothing_is_there_in_the_clear(bodies: PostgresBodies, database_url: str) -> None:
    """The table holds ids, a day and ciphertext; and a body moved to another request does not open."""
    account = uuid7()
    first, second = body_of(account), body_of(account)
    bodies.keep(first)
    bodies.keep(second)
    with psycopg.connect(database_url, autocommit=True) as connection:
        rows = connection.execute("SELECT request_bodies::text, ciphertext FROM request_bodies").fetchall()
        assert len(rows) == 2
        assert not any(CANARY in bytes(sealed) or CANARY.decode() in text for text, sealed in rows)
        connection.execute(
            "UPDATE request_bodies a SET ciphertext = b.ciphertext FROM request_bodies b "
            "WHERE a.request_id = %s AND b.request_id = %s",
            (first.request_id, second.request_id),
        )
    with pytest.raises(VaultDamaged):
        bodies.read(first.request_id)


def test_an_erased_account_has_no_bodies(bodies: PostgresBodies, personal: PostgresPersonalData) -> None:
    """What was kept does not open any more, and nothing new is kept."""
    body = body_of(uuid7())
    bodies.keep(body)
    personal.erase(body.account_id)
    assert bodies.read(body.request_id) is None
    with pytest.raises(SubjectErased):
        bodies.keep(body_of(body.account_id))


def test_one_account_is_deleted_and_no_other(bodies: PostgresBodies) -> None:
    """All of its bodies."""
    mine, other = [body_of(UUID(int=1)) for _ in range(3)], body_of(UUID(int=2))
    for body in (*mine, other):
        bodies.keep(body)
    bodies.delete(UUID(int=1))
    assert [bodies.read(body.request_id) for body in mine] == [None] * 3
    assert bodies.read(other.request_id) == other


def test_days_are_dropped_as_a_whole(bodies: PostgresBodies, pool: Pool, database_url: str) -> None:
    """Those before the last so many, today included among these."""
    bodies.keep(body_of(uuid7()))
    with psycopg.connect(database_url, autocommit=True) as connection:
        for ago in (1, 2, 3):
            connection.execute("SELECT set_config('tokenok.ago', %s, false)", (str(ago),))
            connection.execute("""
                DO $$ DECLARE d date := (now() AT TIME ZONE 'UTC')::date - current_setting('tokenok.ago')::int; BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF request_bodies FOR VALUES FROM (%L) TO (%L)',
                    'request_bodies_' || to_char(d, 'YYYYMMDD'), d, d + 1); END $$""")

        def days() -> int:
            row = connection.execute(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'request_bodies'::regclass"
            ).fetchone()
            assert row is not None
            return int(row[0])

        assert days() == 4
        assert drop_old_bodies(pool, days=3) == 1
        assert drop_old_bodies(pool, days=3) == 0
        assert drop_old_bodies(pool, days=1) == 2
        assert days() == 1


def test_the_writer_keeps_what_it_is_offered(bodies: PostgresBodies) -> None:
    """Before it ends, too; what is of an erased account is passed over in silence."""
    writer = BodyWriter(bodies, body_bytes_max=100, queue_bytes_max=10_000)
    offered = [body_of(uuid7()) for _ in range(20)]
    for body in offered[:10]:
        writer.offer(body)
    writer.start()
    for body in offered[10:]:
        writer.offer(body)
    writer.close()
    assert [bodies.read(body.request_id) for body in offered] == offered
    assert (writer.kept, writer.dropped, writer.failed) == (20, 0, 0)


def test_what_does_not_fit_is_dropped_and_counted(bodies: PostgresBodies) -> None:
    """At once, whatever the writer is doing; there is room again when it has written."""
    writer = BodyWriter(bodies, body_bytes_max=100, queue_bytes_max=250)
    account = uuid7()
    for _ in range(5):
        writer.offer(body_of(account, request=b"x" * 98))
    assert writer.dropped == 3
    writer.start()
    writer.close()
    assert (writer.kept, writer.dropped) == (2, 3)


def test_a_database_that_is_away_costs_bodies_and_nothing_else(pool: Pool, bodies: PostgresBodies) -> None:
    """They are counted, and the writer goes on."""
    writer = BodyWriter(bodies, body_bytes_max=100, queue_bytes_max=10_000)
    pool.close()
    writer.start()
    for _ in range(3):
        writer.offer(body_of(uuid7()))
    writer.close()
    assert (writer.kept, writer.failed) == (0, 3)
    assert "bodies" not in {thread.name for thread in threading.enumerate()}
