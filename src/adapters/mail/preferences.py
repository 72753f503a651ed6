"""What people have chosen about their mails, from the table `people`."""

from uuid import UUID

from adapters.vault.session import Pool, transaction


class PostgresPreferences:
    """See `application.mail.recipients.Preferences`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def locale_of(self, person_id: UUID) -> str | None:
        with transaction(self._pool) as connection:
            row = connection.execute(
                "SELECT locale FROM people WHERE person_id = %s", (person_id,)
            ).fetchone()
        return None if row is None else row[0]
