"""The table `kept_answers`: what was answered to requests with an idempotency key, sealed with the account's key."""

from typing import Final
from uuid import UUID

import msgspec

from adapters.vault.purging import KEEP_S, purge_in_batches
from adapters.vault.session import Pool, transaction
from application.idempotent_requests.kept_answers import KeptAnswer
from application.privacy import PersonalData
from application.vault import VaultDamaged
from domain.privacy import Sealed

_PURGE: Final = """
    DELETE FROM kept_answers WHERE request_id IN (
        SELECT request_id FROM kept_answers WHERE kept_at < clock_timestamp() - make_interval(secs => %s)
        ORDER BY kept_at LIMIT %s FOR UPDATE SKIP LOCKED)"""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(KeptAnswer)


class PostgresKeptAnswers:
    """See `application.idempotent_requests.kept_answers.KeptAnswers`. The pool belongs to the caller."""

    def __init__(self, pool: Pool, personal: PersonalData) -> None:
        self._pool = pool
        self._personal = personal

    def keep(self, answer: KeptAnswer, *, account_id: UUID, request_id: UUID) -> None:
        sealed = self._personal.seal(account_id, _encode(answer), place=_place(request_id))
        with transaction(self._pool) as connection:
            connection.execute(
                "INSERT INTO kept_answers (request_id, key_id, ciphertext) VALUES (%s, %s, %s)"
                " ON CONFLICT (request_id) DO NOTHING",
                (request_id, sealed.key_id, sealed.ciphertext),
            )

    def find(self, *, account_id: UUID, request_id: UUID) -> KeptAnswer | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT key_id, ciphertext FROM kept_answers WHERE request_id = %s", (request_id,)
            ).fetchone()
        if row is None:
            return None
        sealed = Sealed(key_id=row[0], ciphertext=row[1])
        opened = self._personal.open(account_id, sealed, place=_place(request_id))
        if opened is None:
            return None
        try:
            return _decoder.decode(opened)
        except msgspec.DecodeError:
            raise VaultDamaged("a kept answer has no valid form") from None


def purge_kept_answers(pool: Pool, *, older_than_s: float = KEEP_S, batch_rows: int = 500) -> int:
    """Forget old answers, oldest first; returns how many. Raises as `purge_in_batches`."""
    return purge_in_batches(pool, _PURGE, older_than_s=older_than_s, batch_rows=batch_rows, batches_max=1_000)


def _place(request_id: UUID) -> str:
    return f"kept_answers.ciphertext|{request_id}"
