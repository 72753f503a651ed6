"""The tables `passkeys` and `passkey_challenges_used`."""

import hashlib
from typing import Final
from uuid import UUID

import msgspec
from psycopg.errors import UniqueViolation

from adapters.vault.session import Pool, transaction
from application.people.passkeys import VALID_US, Passkey
from domain.refusal import AlreadyExists

_FIELDS: Final = ("credential_id", "person_id", "public_key", "sign_count", "name", "made_us", "used_us")
_FIND: Final = """
    SELECT credential_id, person_id, public_key, sign_count, name, made_us, used_us FROM passkeys
    WHERE credential_id = %s"""
_OF: Final = """
    SELECT credential_id, person_id, public_key, sign_count, name, made_us, used_us FROM passkeys
    WHERE person_id = %s ORDER BY made_us, credential_id LIMIT 100"""
_INSERT: Final = """
    INSERT INTO passkeys (credential_id, person_id, public_key, sign_count, name, made_us, used_us)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_CLEAN: Final = "DELETE FROM passkey_challenges_used WHERE used_us < %s"
_ANSWER: Final = """
    INSERT INTO passkey_challenges_used (challenge_hash, used_us) VALUES (%s, %s)
    ON CONFLICT DO NOTHING"""
# The count only grows: of two answers at once a smaller one would be a copy of the authenticator.
_USE: Final = """
    UPDATE passkeys SET sign_count = %(count)s, used_us = %(now)s
    WHERE credential_id = %(id)s AND (sign_count < %(count)s OR sign_count = 0 AND %(count)s = 0)"""


class PostgresPasskeys:
    """See `application.people.passkeys.Passkeys`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def find(self, credential_id: bytes) -> Passkey | None:
        with transaction(self._pool) as connection:
            row = connection.execute(_FIND, (credential_id,)).fetchone()
        return None if row is None else _passkey(row)

    def of(self, person_id: UUID) -> list[Passkey]:
        with transaction(self._pool) as connection:
            return [_passkey(row) for row in connection.execute(_OF, (person_id,))]

    def add(self, passkey: Passkey) -> None:
        try:
            with transaction(self._pool) as connection:
                connection.execute(_INSERT, [getattr(passkey, name) for name in _FIELDS])
        except UniqueViolation:
            raise AlreadyExists("passkey", passkey.name) from None

    def remove(self, credential_id: bytes, *, person_id: UUID) -> bool:
        statement = "DELETE FROM passkeys WHERE credential_id = %s AND person_id = %s"
        with transaction(self._pool) as connection:
            return connection.execute(statement, (credential_id, person_id)).rowcount == 1

    def use(self, passkey: Passkey, challenge: bytes, *, sign_count: int, now_us: int) -> bool:
        digest = hashlib.sha256(challenge).digest()
        values = {"id": passkey.credential_id, "count": sign_count, "now": now_us}
        with transaction(self._pool) as connection:
            connection.execute(_CLEAN, (now_us - 2 * VALID_US,))
            if connection.execute(_ANSWER, (digest, now_us)).rowcount == 0:
                return False
            return connection.execute(_USE, values).rowcount == 1


def _passkey(row: tuple[object, ...]) -> Passkey:
    return msgspec.convert(dict(zip(_FIELDS, row, strict=True)), Passkey)
