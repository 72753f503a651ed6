"""The table `document_files`: what was printed, sealed with the key of its buyer."""

from typing import Final
from uuid import UUID

from adapters.vault.session import Pool, transaction
from domain.privacy import Sealed

_GET: Final = "SELECT key_id, ciphertext FROM document_files WHERE document_id = %s AND name = %s"
_PUT: Final = """
    INSERT INTO document_files (document_id, name, key_id, ciphertext) VALUES (%s, %s, %s, %s)
    ON CONFLICT (document_id, name) DO NOTHING"""


class PostgresKeptFiles:
    """See `application.invoicing.files.KeptFiles`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def get(self, document_id: UUID, name: str) -> Sealed | None:
        with transaction(self._pool) as connection:
            row = connection.execute(_GET, (document_id, name)).fetchone()
        return None if row is None else Sealed(key_id=row[0], ciphertext=bytes(row[1]))

    def put(self, document_id: UUID, name: str, sealed: Sealed) -> None:
        with transaction(self._pool) as connection:
            connection.execute(_PUT, (document_id, name, sealed.key_id, sealed.ciphertext))
