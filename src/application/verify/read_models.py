"""The read models as `ledger verify` sees them: everything in them as of one moment."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from application.keys.queries import KeyFigures
from application.queries import Balance, OpenHold, RequestDetail


class ReadModelSnapshot(Protocol):
    """One moment; answers do not change while it is open. Reading only."""

    balances_position: int
    requests_position: int
    keys_position: int

    def balances(self) -> Iterator[Balance]: ...

    def open_holds(self) -> Iterator[OpenHold]: ...

    def requests(self, request_ids: Sequence[UUID]) -> dict[UUID, RequestDetail]:
        """Those of the named requests that are there."""
        ...

    def key_figures(self) -> Iterator[KeyFigures]: ...

    def request_count(self) -> int: ...

    def attempt_count(self) -> int: ...


class ReadModels(Protocol):
    def snapshot(self) -> AbstractContextManager[ReadModelSnapshot]: ...
