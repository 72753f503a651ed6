"""Port to the answers that are kept for repeated requests: sealed, bounded in size, and for a bounded time."""

from typing import Protocol
from uuid import UUID

import msgspec

from application.gateway.client import Headers


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer as the client got it: a document, or all events of a stream."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"KeptAnswer({self.status}, {len(self.body)} bytes)"


class KeptAnswers(Protocol):
    """Blocking; safe to use from threads. An answer may quote a person, so it dies with its account's key."""

    def keep(self, answer: KeptAnswer, *, account_id: UUID, request_id: UUID) -> None:
        """Keep what was answered to a request.

        Raises:
            SubjectErased, VaultError: it is not kept.
        """
        ...

    def find(self, *, account_id: UUID, request_id: UUID) -> KeptAnswer | None:
        """What was answered; none if that was never kept, or not any more.

        Raises:
            VaultError: it cannot be read.
        """
        ...


#: Of the moment and not of the answer, so they are not told again.
_OF_THE_MOMENT = frozenset((b"content-length", b"x-tokenok-balance", b"x-tokenok-overhead-ms"))
_LIMITS = b"x-ratelimit-"


def lasting(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """What of an answer's head is kept with it."""
    return tuple(
        (name, value)
        for name, value in headers
        if name not in _OF_THE_MOMENT and not name.startswith(_LIMITS)
    )
