"""The table `mailed_links`."""

import os
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.vault.session import Pool, transaction
from application.people.ports import LinkKeys, MailedLink, Purpose
from application.vault import VaultDamaged

_NONCE_BYTES: Final = 12
_PUT: Final = """
    INSERT INTO mailed_links (link_hash, purpose, email_hash, email_sealed, person_id, expires_us)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (purpose, email_hash, person_id) DO UPDATE
        SET link_hash = excluded.link_hash, email_sealed = excluded.email_sealed,
            expires_us = excluded.expires_us"""
_CLEAN: Final = """
    DELETE FROM mailed_links WHERE link_hash IN (
        SELECT link_hash FROM mailed_links WHERE expires_us <= %s ORDER BY expires_us LIMIT 100
        FOR UPDATE SKIP LOCKED)"""
_FIND: Final = """
    SELECT email_sealed, email_hash, person_id, expires_us FROM mailed_links
    WHERE link_hash = %s AND purpose = %s AND expires_us > %s"""
_USE: Final = """
    DELETE FROM mailed_links WHERE link_hash = %s AND purpose = %s AND expires_us > %s
    RETURNING email_sealed, email_hash, person_id, expires_us"""
_DROP: Final = "DELETE FROM mailed_links WHERE person_id = %s AND purpose = ANY(%s) AND expires_us >= %s"

_Row = tuple[bytes, bytes, UUID | None, int]


class PostgresMailedLinks:
    """See `application.people.ports.MailedLinks`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def put(self, keys: LinkKeys, link: MailedLink, *, now_us: int) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(keys.seal).encrypt(nonce, link.email.encode(), link.purpose.encode())
        values = (keys.hash, link.purpose, link.email_hash, nonce + sealed, link.person_id, link.expires_us)
        with transaction(self._pool) as connection:
            connection.execute(_CLEAN, (now_us,))
            connection.execute(_PUT, values)

    def find(self, keys: LinkKeys, purpose: Purpose, *, now_us: int) -> MailedLink | None:
        return self._one(_FIND, keys, purpose, now_us)

    def use(self, keys: LinkKeys, purpose: Purpose, *, now_us: int) -> MailedLink | None:
        return self._one(_USE, keys, purpose, now_us)

    def drop(self, person_id: UUID, purposes: Sequence[Purpose], *, from_us: int = 0) -> None:
        with transaction(self._pool) as connection:
            connection.execute(_DROP, (person_id, list(purposes), from_us))

    def _one(self, statement: str, keys: LinkKeys, purpose: Purpose, now_us: int) -> MailedLink | None:
        with transaction(self._pool) as connection:
            row: _Row | None = connection.execute(statement, (keys.hash, purpose, now_us)).fetchone()
        return None if row is None else _link(row, keys, purpose)


def _link(row: _Row, keys: LinkKeys, purpose: Purpose) -> MailedLink:
    packed, email_hash, person_id, expires_us = row
    try:
        email = AESGCM(keys.seal).decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], purpose.encode())
    except InvalidTag:
        raise VaultDamaged("an address does not open with its link") from None
    return MailedLink(
        purpose=purpose,
        email=email.decode(),
        email_hash=email_hash,
        person_id=person_id,
        expires_us=expires_us,
    )
