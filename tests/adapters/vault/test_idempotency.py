"""The same request gets the same answer."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from adapters.vault import PostgresIdempotencyStore
from adapters.vault.idempotency import purge
from adapters.vault.master_keys import MasterKeys
from adapters.vault.session import Pool
from application.idempotency import Answer, IdempotencyInProgress, IdempotencyKeyReused
from application.vault import VaultDamaged

KEYS = MasterKeys({"k": b"k" * 31 + b"1"})
INPUT, OTHER = sha256(b"input").digest(), sha256(b"other").digest()
CANARY = Answer(201, b'{"secret": "tk_live_canary"}')


def test_the_first_answer_is_given_again_and_kept_sealed(pool: Pool) -> None:
    """It may show a new API key, so neither the table nor a repr does."""
    store = PostgresIdempotencyStore(pool, KEYS)
    assert store.begin(actor="a", key="k", input_sha256=INPUT) is None
    store.finish(actor="a", key="k", answer=CANARY)
    assert store.begin(actor="a", key="k", input_sha256=INPUT) == CANARY
    with pool.connection() as connection:
        row = connection.execute("SELECT response FROM idempotency").fetchone()
    assert row is not None
    assert b"canary" not in row[0]
    assert "canary" not in repr(CANARY)


def test_another_input_under_the_same_key_is_refused(pool: Pool) -> None:
    """Before and after the first one was answered; another actor's key is another key."""
    store = PostgresIdempotencyStore(pool, KEYS)
    store.begin(actor="a", key="k", input_sha256=INPUT)
    with pytest.raises(IdempotencyKeyReused):
        store.begin(actor="a", key="k", input_sha256=OTHER)
    store.finish(actor="a", key="k", answer=CANARY)
    with pytest.raises(IdempotencyKeyReused):
        store.begin(actor="a", key="k", input_sha256=OTHER)
    assert store.begin(actor="b", key="k", input_sha256=OTHER) is None


def test_of_requests_at_once_one_works(pool: Pool) -> None:
    """The others are told to wait."""
    store = PostgresIdempotencyStore(pool, KEYS)

    def begin(_: int) -> str:
        try:
            return str(store.begin(actor="a", key="k", input_sha256=INPUT))
        except IdempotencyInProgress:
            return "waits"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(begin, range(4))) == ["None", "waits", "waits", "waits"]


def test_a_claim_is_given_up_or_taken_over(pool: Pool) -> None:
    """By a refusal at once, after a crash in time; an answer that was kept is not given up."""
    store = PostgresIdempotencyStore(pool, KEYS)
    store.begin(actor="a", key="k", input_sha256=INPUT)
    store.abandon(actor="a", key="k")
    assert store.begin(actor="a", key="k", input_sha256=OTHER) is None
    late = PostgresIdempotencyStore(pool, KEYS, take_over_s=0)
    assert late.begin(actor="a", key="k", input_sha256=OTHER) is None
    late.finish(actor="a", key="k", answer=CANARY)
    store.abandon(actor="a", key="k")
    assert late.begin(actor="a", key="k", input_sha256=OTHER) == CANARY


def test_old_answers_are_purged(pool: Pool) -> None:
    """Answered or only claimed; young ones are kept."""
    store = PostgresIdempotencyStore(pool, KEYS)
    for key in ("claimed", "answered", "young"):
        store.begin(actor="a", key=key, input_sha256=INPUT)
    store.finish(actor="a", key="answered", answer=CANARY)
    with pool.connection() as connection:
        connection.execute(
            "UPDATE idempotency SET created_at = created_at - interval '2 days' WHERE key <> 'young'"
        )
    assert purge(pool) == 2
    assert purge(pool) == 0
    assert [row[0] for row in remembered(pool)] == ["young"]


def test_a_purge_is_bounded(pool: Pool) -> None:
    """Batch by batch, oldest first; what is left is for the next call."""
    store = PostgresIdempotencyStore(pool, KEYS)
    for number in range(7):
        store.begin(actor="a", key=str(number), input_sha256=INPUT)
    assert purge(pool, older_than_s=0, batch_rows=2, batches_max=2) == 4
    assert [row[0] for row in remembered(pool)] == ["4", "5", "6"]
    assert purge(pool, older_than_s=0, batch_rows=2, batches_max=9) == 3


def remembered(pool: Pool) -> list[tuple[object, ...]]:
    with pool.connection() as connection:
        return connection.execute("SELECT key FROM idempotency ORDER BY key").fetchall()


def test_an_answer_moved_to_another_key_does_not_open(pool: Pool) -> None:
    """So nobody reads another operator's answer by editing a row."""
    store = PostgresIdempotencyStore(pool, KEYS)
    for actor in ("a", "b"):
        store.begin(actor=actor, key="k", input_sha256=INPUT)
        store.finish(actor=actor, key="k", answer=Answer(201, actor.encode()))
    with pool.connection() as connection:
        connection.execute(
            "UPDATE idempotency SET response = (SELECT response FROM idempotency WHERE actor = 'b')"
            " WHERE actor = 'a'"
        )
    with pytest.raises(VaultDamaged):
        store.begin(actor="a", key="k", input_sha256=INPUT)
