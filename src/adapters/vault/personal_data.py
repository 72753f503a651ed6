"""The table `subject_keys`: one key for each subject, sealed with the master key; and the erasure of both it and names.

A row without a key is the trace of an erasure. It stays, so that no new key is ever made for who was erased.
"""

import os
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.vault.master_keys import MasterKeys
from adapters.vault.sealing import Sealer
from adapters.vault.session import Pool, transaction
from application.vault import VaultDamaged
from domain.privacy import Sealed, SubjectErased

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12

_MAKE: Final = """
    INSERT INTO subject_keys (subject_id, key_id, sealed) VALUES (%s, %s, %s)
    ON CONFLICT (subject_id) DO NOTHING"""
_DESTROY: Final = """
    INSERT INTO subject_keys (subject_id, erased_at) VALUES (%s, clock_timestamp())
    ON CONFLICT (subject_id) DO UPDATE
        SET sealed = NULL, erased_at = coalesce(subject_keys.erased_at, excluded.erased_at)
    RETURNING key_id"""
_FORGET_NAMES: Final = """
    INSERT INTO subject_names (subject_id, name) SELECT one, NULL FROM unnest(%s::uuid[]) AS one ORDER BY one
    ON CONFLICT (subject_id) DO UPDATE SET name = NULL, changed_at = clock_timestamp()
    WHERE subject_names.name IS NOT NULL"""
_STALE: Final = """
    SELECT subject_id, key_id, sealed FROM subject_keys
    WHERE sealed IS NOT NULL AND substring(sealed FROM 1 FOR %s) <> %s ORDER BY subject_id LIMIT %s FOR UPDATE"""


class PostgresPersonalData:
    """See `application.privacy.PersonalData`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, keys: MasterKeys) -> None:
        self._pool = pool
        self._sealer = Sealer(keys)

    def seal(self, subject_id: UUID, plaintext: bytes, *, place: str) -> Sealed:
        found = self._key(subject_id) or self._make_key(subject_id)
        if found is None:
            raise SubjectErased("this subject was erased")
        key_id, key = found
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, plaintext, _bound(subject_id, key_id, place))
        return Sealed(key_id=key_id, ciphertext=nonce + sealed)

    def open(self, subject_id: UUID, sealed: Sealed, *, place: str) -> bytes | None:
        found = self._key(subject_id)
        if found is None:
            return None
        key_id, key = found
        nonce, ciphertext = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, _bound(subject_id, key_id, place))
        except (InvalidTag, ValueError):
            raise VaultDamaged("an envelope does not open in its place") from None

    def erase(self, subject_id: UUID, *, named: Sequence[UUID] = ()) -> UUID | None:
        with transaction(self._pool) as connection:
            row = connection.execute(_DESTROY, (subject_id,)).fetchone()
            connection.execute(_FORGET_NAMES, ([subject_id, *named],))
        assert row is not None, "an upsert gives a row"
        key_id: UUID | None = row[0]
        return key_id

    def _key(self, subject_id: UUID) -> tuple[UUID, bytes] | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT key_id, sealed FROM subject_keys WHERE subject_id = %s AND sealed IS NOT NULL",
                (subject_id,),
            ).fetchone()
        if row is None:
            return None
        return row[0], self._sealer.open(row[1], place=_key_place(subject_id, row[0]))

    def _make_key(self, subject_id: UUID) -> tuple[UUID, bytes] | None:
        """A new key, or the one that another process made first; none for who was erased."""
        key_id, key = uuid4(), os.urandom(_KEY_BYTES)
        sealed = self._sealer.seal(key, place=_key_place(subject_id, key_id))
        with transaction(self._pool) as connection:
            connection.execute(_MAKE, (subject_id, key_id, sealed))
        return self._key(subject_id)


def reseal_subject_keys(connection: psycopg.Connection[Any], sealer: Sealer, batch_rows: int) -> int:
    """Seal some subjects' keys with the first master key; returns how many, 0 when none is left."""
    head = sealer.head
    rows = connection.execute(_STALE, (len(head), head, batch_rows)).fetchall()
    for subject_id, key_id, sealed in rows:
        place = _key_place(subject_id, key_id)
        connection.execute(
            "UPDATE subject_keys SET sealed = %s WHERE subject_id = %s",
            (sealer.seal(sealer.open(sealed, place=place), place=place), subject_id),
        )
    return len(rows)


def _key_place(subject_id: UUID, key_id: UUID) -> bytes:
    return b"subject_keys.sealed|" + subject_id.bytes + key_id.bytes


def _bound(subject_id: UUID, key_id: UUID, place: str) -> bytes:
    return b"pii|" + subject_id.bytes + key_id.bytes + place.encode()
