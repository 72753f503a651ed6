"""The vault on a real Postgres."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from adapters.vault import PostgresVault, secret_hasher
from adapters.vault.master_keys import MasterKeys
from adapters.vault.session import Pool
from application.vault import (
    MasterKeyMissing,
    SecretMissing,
    SecretRef,
    VaultDamaged,
    VaultUnavailable,
)
from domain.secret import Secret

CANARY = "sk-canary-0123456789"
OLD_KEY, NEW_KEY = b"o" * 31 + b"1", b"n" * 31 + b"1"
OLD, NEW = MasterKeys({"old": OLD_KEY}), MasterKeys({"new": NEW_KEY})
BOTH = MasterKeys({"new": NEW_KEY, "old": OLD_KEY})
PROVIDER, CREDENTIAL = UUID(int=1), UUID(int=2)


def ref(version: int = 1, *, credential: UUID = CREDENTIAL, provider: UUID = PROVIDER) -> SecretRef:
    return SecretRef(provider_id=provider, credential_id=credential, secret_version=version)


def stored(vault: PostgresVault, text: str = CANARY, *, credential: UUID = CREDENTIAL) -> SecretRef:
    sealed = vault.store(provider_id=PROVIDER, credential_id=credential, secret=Secret(text))
    return ref(sealed.secret_version, credential=credential)


def test_a_secret_comes_back_and_the_table_does_not_show_it(pool: Pool) -> None:
    """Versions count up; equal secrets have equal fingerprints, which do not give them away."""
    vault = PostgresVault(pool, OLD)
    first = vault.store(provider_id=PROVIDER, credential_id=CREDENTIAL, secret=Secret(CANARY))
    second = vault.store(provider_id=PROVIDER, credential_id=CREDENTIAL, secret=Secret("other"))
    same = vault.store(provider_id=PROVIDER, credential_id=UUID(int=3), secret=Secret(CANARY))
    assert (first.secret_version, second.secret_version, first.master_key_id) == (1, 2, "old")
    assert first.fingerprint == same.fingerprint != second.fingerprint
    assert len(first.fingerprint) == 16
    assert vault.open(ref(1)).reveal() == CANARY
    assert vault.open(ref(2)).reveal() == "other"
    with pool.connection() as connection:
        rows = connection.execute("SELECT sealed::text, * FROM credential_secrets").fetchall()
    assert len(rows) == 3
    assert CANARY not in str(rows)
    assert CANARY.encode().hex() not in str(rows)


def test_a_ciphertext_moved_to_another_row_does_not_open(pool: Pool) -> None:
    """Threat 62: between credentials, versions or providers."""
    vault = PostgresVault(pool, OLD)
    other = UUID(int=3)
    stored(vault, "cheap", credential=other)
    stored(vault)
    with pool.connection() as connection:
        connection.execute(
            "UPDATE credential_secrets SET sealed = (SELECT sealed FROM credential_secrets"
            " WHERE credential_id = %s) WHERE credential_id = %s",
            (CREDENTIAL, other),
        )
    with pytest.raises(VaultDamaged) as caught:
        vault.open(ref(credential=other))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(VaultDamaged):
        vault.open(ref(provider=UUID(int=9)))
    assert vault.open(ref()).reveal() == CANARY


def test_what_was_never_stored_is_missing(pool: Pool) -> None:
    """As is what was forgotten."""
    vault = PostgresVault(pool, OLD)
    for _ in range(3):
        stored(vault)
    assert vault.forget(CREDENTIAL, before_version=2) == 1
    with pytest.raises(SecretMissing):
        vault.open(ref(1))
    assert vault.open(ref(2)).reveal() == CANARY
    assert vault.forget(CREDENTIAL) == 2
    assert vault.forget(CREDENTIAL) == 0
    with pytest.raises(SecretMissing):
        vault.open(ref(3))


def test_parallel_writers_get_versions_of_their_own(pool: Pool) -> None:
    """None is overwritten."""
    vault = PostgresVault(pool, OLD)
    with ThreadPoolExecutor(4) as threads:
        refs = list(threads.map(lambda number: stored(vault, f"secret-{number}"), range(4)))
    assert {one.secret_version for one in refs} == {1, 2, 3, 4}
    assert [vault.open(one).reveal() for one in refs] == [f"secret-{number}" for number in range(4)]


def test_the_master_key_is_rotated_in_batches(pool: Pool) -> None:
    """During it both keys open; afterwards the new one alone does, and API keys hash as before."""
    before = PostgresVault(pool, OLD)
    refs = [stored(before, f"secret-{number}", credential=UUID(int=10 + number)) for number in range(7)]
    digest = secret_hasher(before.root_secret()).digest(b"an API key")
    with pytest.raises(MasterKeyMissing):
        PostgresVault(pool, NEW).root_secret()

    during = PostgresVault(pool, BOTH)
    assert [during.open(one).reveal() for one in refs] == [f"secret-{number}" for number in range(7)]
    done = during.rotate_master_key(batch_rows=3)
    assert (done.master_key_id, done.resealed) == ("new", 8)
    assert during.rotate_master_key().resealed == 0

    after = PostgresVault(pool, NEW)
    assert [after.open(one).reveal() for one in refs] == [f"secret-{number}" for number in range(7)]
    assert secret_hasher(after.root_secret()).digest(b"an API key") == digest
    with pytest.raises(MasterKeyMissing) as missing:
        PostgresVault(pool, OLD).open(refs[0])
    assert missing.value.key_id == "new"


def test_a_rotation_that_meets_damage_leaves_it_as_it_was(pool: Pool) -> None:
    """Batches before it are done; nothing unreadable is sealed again as if it were whole."""
    vault = PostgresVault(pool, OLD)
    for number in range(4):
        stored(vault, credential=UUID(int=10 + number))
    with pool.connection() as connection:
        connection.execute(
            "UPDATE credential_secrets SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)"
            " WHERE credential_id = %s",
            (UUID(int=13),),
        )
    with pytest.raises(VaultDamaged):
        PostgresVault(pool, BOTH).rotate_master_key(batch_rows=2)
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT master_key_id FROM credential_secrets ORDER BY credential_id"
        ).fetchall()
    assert [key_id for (key_id,) in rows] == ["new", "new", "old", "old"]


def test_the_root_is_made_once_by_however_many(pool: Pool) -> None:
    """Processes that start together agree."""
    with ThreadPoolExecutor(4) as threads:
        roots = set(threads.map(lambda _: PostgresVault(pool, OLD).root_secret(), range(4)))
    assert len(roots) == 1
    assert len(roots.pop()) == 32


def test_a_database_that_is_away_is_said_so() -> None:
    """By one error without details, and nothing of the secret in it."""
    nowhere = "host=127.0.0.1 port=1 connect_timeout=1"
    away: Pool = ConnectionPool(
        nowhere, min_size=0, max_size=1, open=True, timeout=0.2, reconnect_timeout=0.1
    )
    with away, pytest.raises(VaultUnavailable) as caught:
        PostgresVault(away, OLD).store(provider_id=PROVIDER, credential_id=CREDENTIAL, secret=Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
