"""Asks gateways over NOTIFY for credit that no request needs, from processes that have no event loop of their own."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.eventstore.wakeups import NOTIFY
from application.ledger.recall import RecallMessages

log = structlog.get_logger()


class NotifyCallBack:
    """Implements `application.ledger.ports.CallBack`. Gateways answer, but nobody listens: who asks looks at the wallet."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        self._pool = pool

    def __call__(self, account_id: UUID, /) -> bool:
        try:
            with self._pool.connection() as connection, connection.transaction():
                RecallMessages(_Sender(connection), instance_id=uuid4()).ask(account_id)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("gateways_not_asked", account_id=str(account_id), error=type(error).__name__)
            return False
        return True


class _Sender:
    """Sends within a transaction of this connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def poke(self, message: str) -> None:
        self._connection.execute(NOTIFY, (message,))
