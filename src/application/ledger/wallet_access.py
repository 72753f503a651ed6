"""An account's wallet as one process sees it: a cached fold, brought up to date when the log says otherwise."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from application.eventlog import EventStore, Journal, LogUnavailable, NewEvent, VersionConflict
from domain.event import TopicRegistry, encode
from domain.ids import stream_of
from domain.ledger import wallet as rules
from domain.ledger.events import WALLET_EVENTS, WalletEvent
from domain.ledger.wallet import Wallet

CONFLICTS_MAX = 50
"""Lost races in a row after which a change is given up; each lost race means that another one was won."""
JITTER_S = 0.002

_topics = TopicRegistry(*WALLET_EVENTS)


def wallet_stream(account_id: UUID) -> UUID:
    return stream_of(account_id, "wallet")


def nothing_beside() -> Sequence[NewEvent]:
    return ()


class WalletAccess:
    """Reads and changes one wallet, one change at a time in this process. Belongs to the event loop."""

    def __init__(self, account_id: UUID, *, store: EventStore, journal: Journal) -> None:
        self.account_id = account_id
        self.wallet = Wallet()
        self._stream_id = wallet_stream(account_id)
        self._store = store
        self._journal = journal
        self._turn = asyncio.Lock()
        self._stale = True

    async def refresh(self) -> Wallet:
        """Read what others appended.

        Raises:
            LogUnavailable: the log cannot be read; the cached wallet is unchanged.
        """
        async with self._turn:
            await self._read_tail()
        return self.wallet

    async def change(
        self,
        decide: Callable[[Wallet], Sequence[WalletEvent]],
        beside: Callable[[], Sequence[NewEvent]] = nothing_beside,
    ) -> None:
        """Append what `decide` says, and events of a lease in the same append; again on the newest wallet if beaten.

        Run it shielded: a caller that leaves must not lose what was stored.

        Raises:
            LedgerRefusal: from `decide`, on the newest wallet; nothing was stored.
            VersionConflict: the lease's stream has another writer; nothing was stored.
            JournalFull, LogUnavailable: nothing was stored, as far as is known.
        """
        async with self._turn:
            for _ in range(CONFLICTS_MAX):
                if self._stale:
                    await self._read_tail()
                if await self._try(decide(self.wallet), beside):
                    return
                await asyncio.sleep(random.uniform(0, JITTER_S))  # noqa: S311  # spreads writers, no secret
        raise LogUnavailable(f"wallet of {self.account_id} is contended")

    async def _try(self, events: Sequence[WalletEvent], beside: Callable[[], Sequence[NewEvent]]) -> bool:
        version = self.wallet.version
        group = [
            NewEvent(self._stream_id, version + offset, event.TOPIC, encode(event))
            for offset, event in enumerate(events, 1)
        ]
        self._stale = True  # until the outcome is known, also if this task is cancelled
        try:
            await self._journal.append([*group, *beside()])
        except VersionConflict as conflict:
            if conflict.stream_id != self._stream_id:
                raise
            return False
        for event in events:
            rules.evolve(self.wallet, event)
        self._stale = False
        return True

    async def _read_tail(self) -> None:
        tail = await asyncio.to_thread(
            self._store.read_stream, self._stream_id, after_version=self.wallet.version
        )
        for recorded in tail:
            event = cast("WalletEvent", _topics.decode(recorded.topic, recorded.state))
            rules.evolve(self.wallet, event)
        self._stale = False
