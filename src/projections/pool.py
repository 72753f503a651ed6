"""Connections for read models: autocommit, commits that do not wait for the disk, plans made once.

A commit lost in a crash of the server takes rows and position back together, and the events are folded again.
Plans are generic because each statement is a look-up by key, whatever the size of its arrays; custom plans look
cheaper to the server, which then makes one for every batch.
"""

from psycopg_pool import ConnectionPool

from projections.projection import Pool

_OPTIONS = "-c plan_cache_mode=force_generic_plan -c synchronous_commit=off -c idle_in_transaction_session_timeout=60s"
_WAIT_S = 5.0


def projection_pool(
    database_url: str, *, size_max: int, size_min: int = 1, application_name: str = "tokenok-projections"
) -> Pool:
    """A closed pool; the caller opens and closes it."""
    return ConnectionPool(
        database_url,
        kwargs={
            "autocommit": True,
            "options": _OPTIONS,
            "application_name": application_name,
            # A network that swallows packets is noticed; without these a session and its lock hang for hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
        min_size=size_min,
        max_size=size_max,
        open=False,
        check=ConnectionPool.check_connection,
        timeout=_WAIT_S,
        # Else its attempts are soon minutes apart while the database is away; a caller starts new ones.
        reconnect_timeout=1,
        name="projections",
    )
