"""The table `people_browsers`."""

from typing import Final
from uuid import UUID

from adapters.vault.session import Pool, transaction
from application.people.ports import Meeting

_KEEP_US: Final = 400 * 86_400 * 1_000_000  #: longer than the browsers themselves remember
_CLEAN: Final = "DELETE FROM people_browsers WHERE person_id = %s AND seen_us < %s"
_KNOWS: Final = "SELECT 1 FROM people_browsers WHERE person_id = %s AND browser_hash = %s"
_MEET: Final = """
    WITH others AS (SELECT EXISTS (SELECT FROM people_browsers WHERE person_id = %(person)s) AS are_there)
    INSERT INTO people_browsers (person_id, browser_hash, seen_us) VALUES (%(person)s, %(browser)s, %(now)s)
    ON CONFLICT (person_id, browser_hash) DO UPDATE SET seen_us = excluded.seen_us
    RETURNING xmax = 0, (SELECT are_there FROM others)"""  # no transaction has updated a row that is new


class PostgresBrowsers:
    """See `application.people.ports.Browsers`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def meet(self, person_id: UUID, browser_hash: bytes, *, now_us: int) -> Meeting:
        with transaction(self._pool) as connection:
            connection.execute(_CLEAN, (person_id, now_us - _KEEP_US))
            wanted = {"person": person_id, "browser": browser_hash, "now": now_us}
            row = connection.execute(_MEET, wanted).fetchone()
        assert row is not None, "a row is returned either way"
        is_new, are_others = row
        if not is_new:
            return "known"
        return "new" if are_others else "first"

    def knows(self, person_id: UUID, browser_hash: bytes) -> bool:
        with transaction(self._pool) as connection:
            row = connection.execute(_KNOWS, (person_id, browser_hash)).fetchone()
        return row is not None
