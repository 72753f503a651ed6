"""Asking other processes for credit that they lent but do not hold, before a request is refused.

The question and the answers are wake-up messages, hence hints; what counts is what the owners append. An
owner answers after it has given back, or when it has nothing to give.
"""

import asyncio
import contextlib
from uuid import UUID

from application.ledger.ports import Pokes


class Recall:
    """One question to the other owners of an account, and who has answered."""

    def __init__(self, owners: set[UUID]) -> None:
        self._open = set(owners)
        self._news = asyncio.Event()

    def answered_by(self, instance_id: UUID) -> None:
        self._open.discard(instance_id)
        self._news.set()

    @property
    def is_complete(self) -> bool:
        """Every owner has answered: what is not available now is held for requests."""
        return not self._open

    async def next_answer(self, *, within_s: float) -> None:
        """Wait for one more answer, or until the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        self._news.clear()


class RecallMessages:
    """The wire form of questions and answers."""

    def __init__(self, wakeups: Pokes, *, instance_id: UUID) -> None:
        self._wakeups = wakeups
        self._instance_id = instance_id

    def ask(self, account_id: UUID) -> None:
        self._wakeups.poke(f"recall:{account_id}:{self._instance_id}")

    def answer(self, account_id: UUID) -> None:
        self._wakeups.poke(f"recalled:{account_id}:{self._instance_id}")

    def parse(self, message: str) -> tuple[str, UUID, UUID] | None:
        """`(kind, account id, sender)` of another process's message, None for anything else."""
        kind, _, rest = message.partition(":")
        if kind not in {"recall", "recalled"}:
            return None
        account, _, sender = rest.partition(":")
        try:
            account_id, sender_id = UUID(account), UUID(sender)
        except ValueError:
            return None
        return None if sender_id == self._instance_id else (kind, account_id, sender_id)
