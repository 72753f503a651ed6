"""The table `oidc_identities`."""

from typing import Final
from uuid import UUID

from adapters.vault.session import Pool, transaction

_BIND: Final = """
    INSERT INTO oidc_identities (issuer, subject, person_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""


class PostgresIdentities:
    """See `application.people.oidc.Identities`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def person_of(self, issuer: str, subject: str) -> UUID | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT person_id FROM oidc_identities WHERE issuer = %s AND subject = %s", (issuer, subject)
            ).fetchone()
        return None if row is None else UUID(str(row[0]))

    def bind(self, issuer: str, subject: str, person_id: UUID) -> bool:
        with transaction(self._pool) as connection:
            connection.execute(_BIND, (issuer, subject, person_id))
        return self.person_of(issuer, subject) == person_id
