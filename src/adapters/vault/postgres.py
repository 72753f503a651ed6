"""The vault's tables `credential_secrets` and `root_secrets`: what is written there is sealed before it leaves us."""

import hmac
import os
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.errors import UniqueViolation

from adapters.vault.idempotency import reseal_answers
from adapters.vault.master_keys import MasterKeys
from adapters.vault.people import reseal_totp_seeds
from adapters.vault.personal_data import reseal_subject_keys
from adapters.vault.sealing import Sealer, derive
from adapters.vault.session import Pool, transaction
from application.vault import KeyRotation, SecretMissing, SecretRef, VaultDamaged, VaultUnavailable
from domain.catalogue.credential import SealedSecret
from domain.secret import Secret

_ROOT: Final = "root"
_ROOT_BYTES: Final = 32
_FINGERPRINT_BYTES: Final = 8
_ATTEMPTS_MAX: Final = 5

_INSERT: Final = """
    INSERT INTO credential_secrets (credential_id, secret_version, provider_id, master_key_id, sealed)
    VALUES (%s, %s, %s, %s, %s)"""
_NEXT_VERSION: Final = (
    "SELECT coalesce(max(secret_version), 0) + 1 FROM credential_secrets WHERE credential_id = %s"
)
_STALE_CREDENTIALS: Final = """
    SELECT credential_id, secret_version, provider_id, sealed FROM credential_secrets
    WHERE master_key_id <> %s ORDER BY credential_id, secret_version LIMIT %s FOR UPDATE"""
_STALE_ROOTS: Final = (
    "SELECT name, sealed FROM root_secrets WHERE master_key_id <> %s ORDER BY name LIMIT %s FOR UPDATE"
)


class PostgresVault:
    """See `application.vault.Vault`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, keys: MasterKeys) -> None:
        self._pool = pool
        self._sealer = Sealer(keys)
        self._fingerprint_key: bytes | None = None

    def store(self, *, provider_id: UUID, credential_id: UUID, secret: Secret) -> SealedSecret:
        fingerprint = self._fingerprint(secret)
        for _ in range(_ATTEMPTS_MAX):
            try:
                version = self._insert(provider_id, credential_id, secret)
            except UniqueViolation:
                continue  # another process took this version first
            return SealedSecret(
                secret_version=version, master_key_id=self._sealer.key_id, fingerprint=fingerprint
            )
        raise VaultUnavailable("the credential is written too fast")

    def open(self, ref: SecretRef) -> Secret:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT sealed FROM credential_secrets WHERE credential_id = %s AND secret_version = %s",
                (ref.credential_id, ref.secret_version),
            ).fetchone()
        if row is None:
            raise SecretMissing(f"credential {ref.credential_id} has no secret {ref.secret_version}")
        place = _credential_place(ref.provider_id, ref.credential_id, ref.secret_version)
        return Secret(self._sealer.open(row[0], place=place).decode())

    def forget(self, credential_id: UUID, *, before_version: int | None = None) -> int:
        with transaction(self._pool) as connection:
            return connection.execute(
                "DELETE FROM credential_secrets WHERE credential_id = %s"
                " AND (%s::integer IS NULL OR secret_version < %s)",
                (credential_id, before_version, before_version),
            ).rowcount

    def root_secret(self) -> bytes:
        sealed = self._sealer.seal(os.urandom(_ROOT_BYTES), place=_root_place(_ROOT))
        with transaction(self._pool) as connection:
            connection.execute(
                "INSERT INTO root_secrets (name, master_key_id, sealed) VALUES (%s, %s, %s)"
                " ON CONFLICT (name) DO NOTHING",
                (_ROOT, self._sealer.key_id, sealed),
            )
        # A new snapshot: what another process has just made must be seen.
        with transaction(self._pool) as connection:
            row = connection.execute("SELECT sealed FROM root_secrets WHERE name = %s", (_ROOT,)).fetchone()
        if row is None:
            raise VaultDamaged("the root secret was deleted while it was read")
        return self._sealer.open(row[0], place=_root_place(_ROOT))

    def rotate_master_key(self, *, batch_rows: int = 200) -> KeyRotation:
        resealed = 0
        batches = (
            self._reseal_credentials,
            self._reseal_roots,
            self._reseal_answers,
            self._reseal_subject_keys,
            self._reseal_totp_seeds,
        )
        for batch in batches:
            while done := self._in_transaction(batch, batch_rows):
                resealed += done
        return KeyRotation(master_key_id=self._sealer.key_id, resealed=resealed)

    def _insert(self, provider_id: UUID, credential_id: UUID, secret: Secret) -> int:
        with transaction(self._pool) as connection:
            row = connection.execute(_NEXT_VERSION, (credential_id,)).fetchone()
            assert row is not None, "an aggregate gives a row"
            version = int(row[0])
            place = _credential_place(provider_id, credential_id, version)
            sealed = self._sealer.seal(secret.reveal().encode(), place=place)
            connection.execute(_INSERT, (credential_id, version, provider_id, self._sealer.key_id, sealed))
        return version

    def _in_transaction(self, batch: Callable[[psycopg.Connection[Any], int], int], batch_rows: int) -> int:
        with transaction(self._pool) as connection:
            return batch(connection, batch_rows)

    def _reseal_credentials(self, connection: psycopg.Connection[Any], batch_rows: int) -> int:
        rows = connection.execute(_STALE_CREDENTIALS, (self._sealer.key_id, batch_rows)).fetchall()
        for credential_id, version, provider_id, sealed in rows:
            place = _credential_place(provider_id, credential_id, version)
            connection.execute(
                "UPDATE credential_secrets SET sealed = %s, master_key_id = %s"
                " WHERE credential_id = %s AND secret_version = %s",
                (self._resealed(sealed, place), self._sealer.key_id, credential_id, version),
            )
        return len(rows)

    def _reseal_roots(self, connection: psycopg.Connection[Any], batch_rows: int) -> int:
        rows = connection.execute(_STALE_ROOTS, (self._sealer.key_id, batch_rows)).fetchall()
        for name, sealed in rows:
            connection.execute(
                "UPDATE root_secrets SET sealed = %s, master_key_id = %s WHERE name = %s",
                (self._resealed(sealed, _root_place(name)), self._sealer.key_id, name),
            )
        return len(rows)

    def _reseal_answers(self, connection: psycopg.Connection[Any], batch_rows: int) -> int:
        return reseal_answers(connection, self._sealer, batch_rows)

    def _reseal_subject_keys(self, connection: psycopg.Connection[Any], batch_rows: int) -> int:
        return reseal_subject_keys(connection, self._sealer, batch_rows)

    def _reseal_totp_seeds(self, connection: psycopg.Connection[Any], batch_rows: int) -> int:
        return reseal_totp_seeds(connection, self._sealer, batch_rows)

    def _resealed(self, sealed: bytes, place: bytes) -> bytes:
        return self._sealer.seal(self._sealer.open(sealed, place=place), place=place)

    def _fingerprint(self, secret: Secret) -> str:
        if self._fingerprint_key is None:
            self._fingerprint_key = derive(self.root_secret(), "credential fingerprint v1")
        digest = hmac.digest(self._fingerprint_key, secret.reveal().encode(), "sha256")
        return digest[:_FINGERPRINT_BYTES].hex()


def _credential_place(provider_id: UUID, credential_id: UUID, version: int) -> bytes:
    return (
        b"credential_secrets.sealed|" + provider_id.bytes + credential_id.bytes + version.to_bytes(4, "big")
    )


def _root_place(name: str) -> bytes:
    return b"root_secrets.sealed|" + name.encode()
