"""The alarm of read models that stopped: rows of `projection_failures`."""

from projections.projection import Connection


def record(connection: Connection, name: str, *, position: int, error: str, now_us: int) -> None:
    """Say at which event a read model stopped; the same failure again counts a try."""
    connection.execute(
        "INSERT INTO projection_failures AS old (name, position, error, tries, since_us) "
        "VALUES (%s, %s, %s, 1, %s) ON CONFLICT (name) DO UPDATE SET "
        "position = excluded.position, error = excluded.error, "
        "tries = CASE WHEN old.position = excluded.position THEN old.tries + 1 ELSE 1 END, "
        "since_us = CASE WHEN old.position = excluded.position THEN old.since_us ELSE excluded.since_us END",
        [name, position, error, now_us],
    )


def forget(connection: Connection, name: str) -> None:
    """The read model got past the event."""
    connection.execute("DELETE FROM projection_failures WHERE name = %s", [name])
