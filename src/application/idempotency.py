"""Port to what was answered to requests that carry an idempotency key: the same request gets the same answer.

Answers may show a secret that is shown once, so they are kept sealed and for a bounded time.
"""

from typing import ClassVar, Protocol

import msgspec

from domain.refusal import Refusal


class IdempotencyKeyReused(Refusal):
    """The key came before with another input; nothing was done."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyInProgress(Refusal):
    """The first request with this key has not been answered yet; nothing was done."""

    code: ClassVar[str] = "idempotency_in_progress"


class Answer(msgspec.Struct, frozen=True):
    """What was answered the first time."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


class IdempotencyStore(Protocol):
    """Blocking; safe to use from threads. `actor` separates one caller's keys from another's."""

    def begin(self, *, actor: str, key: str, input_sha256: bytes) -> Answer | None:
        """Claim the key: none means do the work and `finish`, an answer means give that one.

        A claim that was neither finished nor abandoned (a crash) can be taken over after a minute.

        Raises:
            IdempotencyKeyReused, IdempotencyInProgress: see there.
            VaultError: nothing was claimed, or a kept answer cannot be read.
        """
        ...

    def finish(self, *, actor: str, key: str, answer: Answer) -> None:
        """Keep the answer."""
        ...

    def abandon(self, *, actor: str, key: str) -> None:
        """Nothing was done: let the key be used again."""
        ...
