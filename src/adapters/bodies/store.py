"""The table `request_bodies`: bodies packed, compressed, and sealed with their account's key."""

from typing import Final
from uuid import UUID

import msgspec
import zstandard

from adapters.vault.session import Pool, transaction
from application.bodies.ports import Body
from application.privacy import PersonalData
from application.vault import VaultDamaged
from domain.privacy import Sealed

_LEVEL: Final = 3
_KEEP: Final = "SELECT tokenok_keep_body(%s, %s, %s, %s)"
_PLAIN_BYTES_MAX: Final = 256 * 1024 * 1024
_decoder = msgspec.msgpack.Decoder(Body)


class PostgresBodies:
    """See `application.bodies.ports.BodyStore`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, personal: PersonalData) -> None:
        self._pool = pool
        self._personal = personal

    def keep(self, body: Body) -> None:
        """Keep one.

        Raises:
            VaultUnavailable: the database is away; it is not kept.
            SubjectErased: the account was erased; nothing of it may be kept.
            MasterKeyMissing, VaultDamaged: the account's key does not open.
        """
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(body))
        sealed = self._personal.seal(body.account_id, packed, place=_place(body.request_id))
        with transaction(self._pool) as connection:
            connection.execute(_KEEP, (body.request_id, body.account_id, sealed.key_id, sealed.ciphertext))

    def account_of(self, request_id: UUID) -> UUID | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT account_id FROM request_bodies WHERE request_id = %s", (request_id,)
            ).fetchone()
        return None if row is None else row[0]

    def read(self, request_id: UUID) -> Body | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT account_id, key_id, ciphertext FROM request_bodies WHERE request_id = %s",
                (request_id,),
            ).fetchone()
        if row is None:
            return None
        sealed = Sealed(key_id=row[1], ciphertext=row[2])
        packed = self._personal.open(row[0], sealed, place=_place(request_id))
        return None if packed is None else _unpacked(packed)

    def delete(self, account_id: UUID) -> None:
        with transaction(self._pool) as connection:
            connection.execute("DELETE FROM request_bodies WHERE account_id = %s", (account_id,))


def drop_old_bodies(pool: Pool, *, days: int) -> int:
    """Drop the days before the last `days`; returns how many were dropped. Needs no key.

    Raises:
        VaultUnavailable: the database is away, or a reader was in the way for too long.
    """
    with transaction(pool) as connection:
        row = connection.execute("SELECT tokenok_drop_bodies(%s)", (days,)).fetchone()
    assert row is not None, "a function gives a row"
    return int(row[0])


def _unpacked(packed: bytes) -> Body:
    try:
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_PLAIN_BYTES_MAX)
        return _decoder.decode(plain)
    except (zstandard.ZstdError, msgspec.DecodeError):
        raise VaultDamaged("a kept body has no valid form") from None


def _place(request_id: UUID) -> str:
    return f"request_bodies.ciphertext|{request_id}"
