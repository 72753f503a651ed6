"""Which history of the log a connection leads to: a failover may lead to another, which lacks the last commits.

A standby that was promoted writes on a new timeline, and so does a database that was restored to a point. One that was
copied logically is another cluster with another identity. A restart, or a switch-over that waited for the standby, may
change the timeline as well and lose nothing: then what was queued is refused for nothing, and decided again.
"""

import contextlib

import msgspec
import psycopg

_TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"
_CLUSTER = "SELECT system_identifier FROM pg_control_system()"


class History(msgspec.Struct, frozen=True):
    """A cluster, and the timeline on which it writes."""

    cluster: int  #: 0 where the role may not ask
    timeline: str  #: eight hex digits


def history_of(connection: psycopg.Connection[tuple[object, ...]]) -> History:
    """Ask the server; it must be one that can be written to.

    Raises:
        psycopg.Error: it does not answer, or is a standby.
    """
    cluster: object = 0
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        cluster = _one(connection, _CLUSTER)
    return History(int(str(cluster)), str(_one(connection, _TIMELINE)))


def _one(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> object:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]
