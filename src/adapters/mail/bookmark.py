"""The table `mail_follower`: how far the log was read for facts that somebody gets a mail about."""

from typing import Final

from adapters.vault.session import Pool, transaction

_MOVE: Final = """
    INSERT INTO mail_follower AS old (position) VALUES (%s)
    ON CONFLICT (is_the_one) DO UPDATE SET position = greatest(old.position, excluded.position)"""


class PostgresBookmark:
    """See `application.mail.follow.Bookmark`. The pool belongs to the caller."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self) -> int | None:
        with transaction(self._pool) as connection:
            row = connection.execute("SELECT position FROM mail_follower").fetchone()
        return None if row is None else int(row[0])

    def move(self, position: int) -> None:
        with transaction(self._pool) as connection:
            connection.execute(_MOVE, (position,))
