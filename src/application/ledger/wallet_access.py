"""An account's wallet as one process sees it: a cached fold, brought up to date when the log says otherwise."""

import asyncio
import random
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from application.eventlog import EventStore, Journal, LogUnavailable, NewEvent, VersionConflict
from application.ledger.wallet_reader import (
    SNAPSHOT_EVERY,
    KnownWallet,
    load_wallet,
    read_on,
    wallet_stream,
)
from domain.event import encode
from domain.ledger.events import WalletEvent
from domain.ledger.wallet import Wallet

CONFLICTS_MAX = 50
"""Lost races in a row after which a change is given up; each lost race means that another one was won."""
JITTER_S = 0.002

log = structlog.get_logger()


def nothing_beside() -> Sequence[NewEvent]:
    return ()


class WalletAccess:
    """Reads and changes one wallet, one change at a time in this process. Belongs to the event loop."""

    def __init__(self, account_id: UUID, *, store: EventStore, journal: Journal) -> None:
        self.account_id = account_id
        self._known = KnownWallet(Wallet(), b"", 0)
        self._stream_id = wallet_stream(account_id)
        self._store = store
        self._journal = journal
        self._turn = asyncio.Lock()
        self._stale = True
        self._sessions = journal.sessions

    @property
    def wallet(self) -> Wallet:
        """As last read or changed."""
        return self._known.wallet

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
            OutcomeUnknown: the journal was closed meanwhile; nobody knows.
            JournalFull, LogUnavailable, UnstorableEvent: nothing was stored.
        """
        async with self._turn:
            for _ in range(CONFLICTS_MAX):
                # After a failover the log may have lost its tail, and others may have written another one.
                if self._stale or self._sessions != self._journal.sessions:
                    await self._read_tail()
                if await self._try(decide(self.wallet), beside):
                    await self._keep_snapshot()
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
        for event, stored in zip(events, group, strict=True):
            self._known.fold(event, stored.state)
        self._stale = False
        return True

    async def _read_tail(self) -> None:
        known, sessions = self._known, self._journal.sessions
        version = known.wallet.version
        tail = None
        if version:
            tail = await asyncio.to_thread(
                read_on, self._store, self.account_id, version=version, mark=known.mark
            )
            if tail is None:
                log.warning("wallet_history_changed", account_id=str(self.account_id), version=version)
        if tail is None or len(tail) > SNAPSHOT_EVERY:  # too much to fold on the event loop
            self._known = await asyncio.to_thread(load_wallet, self._store, self.account_id)
        else:
            known.fold_recorded(tail)
        self._sessions = sessions
        self._stale = False

    async def _keep_snapshot(self) -> None:
        known = self._known
        if known.is_worth_keeping:
            version, state = known.wallet.version, known.snapshot()
            await asyncio.to_thread(self._store.keep_snapshot, self._stream_id, version, state)
