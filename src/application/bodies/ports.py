"""Ports to kept bodies: the hot path offers them, commands read and delete them."""

from typing import Protocol
from uuid import UUID

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its answer as they passed. What is longer than its bound is cut; the sizes tell."""

    request_id: UUID
    account_id: UUID
    key_id: UUID
    began_us: int
    status: int  #: of the answer; 0 when none was begun
    complete: bool  #: the answer has gone to its end
    request_bytes: int
    response_bytes: int
    request: bytes = msgspec.field(default=b"")
    response: bytes = msgspec.field(default=b"")

    def __repr__(self) -> str:
        return f"Body({self.request_id}, {self.request_bytes} + {self.response_bytes} bytes)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("request_id", self.request_id)]


class BodySink(Protocol):
    """Where the hot path puts what it has seen. Never blocks and never raises: what there is no room for is dropped."""

    @property
    def body_bytes_max(self) -> int:
        """How much of a request and of an answer is kept."""
        ...

    def offer(self, body: Body) -> None: ...


class BodyStore(Protocol):
    """What is kept. Blocking; every method raises `VaultUnavailable` when the database is away."""

    def account_of(self, request_id: UUID) -> UUID | None:
        """Whose request it was; none when nothing of it is kept."""
        ...

    def read(self, request_id: UUID) -> Body | None:
        """What is kept of a request; none also after its account was erased.

        Raises:
            VaultDamaged, MasterKeyMissing: it does not open.
        """
        ...

    def delete(self, account_id: UUID) -> None:
        """Delete all of an account."""
        ...
