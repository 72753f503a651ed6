"""The table `subject_names`: names of accounts, operators and API keys, erasable. A row without a name is the trace of an erasure; see `personal_data`."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from adapters.vault.session import Pool, transaction
from application.queries import clean
from domain.privacy import SubjectErased

#: The index finds those that have all pieces of the text, in whatever order; then the text itself is looked for.
_LIKE: Final = """
    SELECT subject_id FROM subject_names
    WHERE name IS NOT NULL AND name_pieces(name, 1) @> name_pieces(%(text)s, 3) AND strpos(lower(name), lower(%(text)s)) > 0
    ORDER BY subject_id LIMIT %(limit)s
"""


class PostgresNameBook:
    """See `application.names.NameBook`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def put(self, subject_id: UUID, name: str) -> None:
        with transaction(self._pool) as connection:
            is_put = connection.execute(
                "INSERT INTO subject_names (subject_id, name) VALUES (%s, %s) ON CONFLICT (subject_id)"
                " DO UPDATE SET name = excluded.name, changed_at = clock_timestamp()"
                " WHERE subject_names.name IS NOT NULL",
                (subject_id, name),
            ).rowcount
        if not is_put:
            raise SubjectErased("this subject was erased")

    def get(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        with transaction(self._pool) as connection:
            rows = connection.execute(
                "SELECT subject_id, name FROM subject_names WHERE subject_id = ANY(%s) AND name IS NOT NULL",
                (list(subject_ids),),
            ).fetchall()
        return dict(rows)

    def like(self, text: str, *, limit: int) -> list[UUID]:
        plain = clean(text)
        if not plain:
            return []
        with transaction(self._pool) as connection:
            rows = connection.execute(_LIKE, {"text": plain, "limit": limit})
            return [subject_id for (subject_id,) in rows]
