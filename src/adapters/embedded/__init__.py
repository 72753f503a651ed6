"""Real Postgres and Valkey servers under our own supervisor, for `tokenok up` and the tests.

Standard library only. `EmbeddedServers` owns a data root, its lock and both servers; nothing here is used in
production, where `DATABASE_URL` and `REDIS_URL` name servers that somebody else runs.
"""

from adapters.embedded.endpoints import Endpoints, read_endpoints
from adapters.embedded.errors import (
    AlreadyRunning,
    BinariesMissing,
    DataUnusable,
    EmbeddedError,
    StartFailed,
)
from adapters.embedded.servers import EmbeddedServers

__all__ = [
    "AlreadyRunning",
    "BinariesMissing",
    "DataUnusable",
    "EmbeddedError",
    "EmbeddedServers",
    "Endpoints",
    "StartFailed",
    "read_endpoints",
]
