"""The table `subject_names`: names of accounts, operators and API keys, erasable."""

from collections.abc import Sequence
from uuid import UUID

from adapters.vault.session import Pool, transaction


class PostgresNameBook:
    """See `application.names.NameBook`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def put(self, subject_id: UUID, name: str) -> None:
        with transaction(self._pool) as connection:
            connection.execute(
                "INSERT INTO subject_names (subject_id, name) VALUES (%s, %s) ON CONFLICT (subject_id)"
                " DO UPDATE SET name = excluded.name, changed_at = clock_timestamp()",
                (subject_id, name),
            )

    def get(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        with transaction(self._pool) as connection:
            rows = connection.execute(
                "SELECT subject_id, name FROM subject_names WHERE subject_id = ANY(%s)", (list(subject_ids),)
            ).fetchall()
        return dict(rows)

    def erase(self, subject_id: UUID) -> bool:
        with transaction(self._pool) as connection:
            return bool(
                connection.execute("DELETE FROM subject_names WHERE subject_id = %s", (subject_id,)).rowcount
            )
