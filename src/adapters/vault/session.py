"""How this package uses its connections: bounded waits, and one error for a database that is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from application.vault import VaultUnavailable

Pool: TypeAlias = ConnectionPool[psycopg.Connection[TupleRow]]


@contextmanager
def transaction(pool: Pool) -> Iterator[psycopg.Connection[Any]]:
    """One transaction; committed at the end of the block, rolled back by an exception.

    Raises:
        VaultUnavailable: no connection, or it was lost; unless it was lost in the commit, nothing was stored.
    """
    try:
        with pool.connection() as connection, connection.transaction():
            yield connection
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as error:
        # `from None`: a driver's message may quote parameters.
        raise VaultUnavailable(type(error).__name__) from None
