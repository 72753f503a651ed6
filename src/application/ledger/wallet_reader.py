"""Reads wallets from the log: from a snapshot on if there is one, else from the start. Blocking.

Snapshots are mere caches. What was folded is trusted only while the log still has, at its version, the very event
that was folded last: a snapshot of another history is ignored, and a database that failed over and lost its tail
is noticed (recovery rule R7).
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import msgspec

from application.eventlog import EventStore, RecordedEvent
from domain.event import TopicRegistry
from domain.ids import stream_of
from domain.ledger import wallet as rules
from domain.ledger.events import WALLET_EVENTS, WalletEvent
from domain.ledger.snapshot import decode_snapshot, encode_snapshot, mark_of
from domain.ledger.wallet import Wallet

SNAPSHOT_EVERY = 500
"""A snapshot is made when this many events would have to be folded without it."""

_topics = TopicRegistry(*WALLET_EVENTS)


def wallet_stream(account_id: UUID) -> UUID:
    return stream_of(account_id, "wallet")


class KnownWallet(msgspec.Struct):
    """A fold of a wallet stream, and which event it ends at."""

    wallet: Wallet
    mark: bytes  #: of the event at the wallet's version
    kept_version: int  #: of the newest snapshot that we know of

    def fold(self, event: WalletEvent, state: bytes) -> None:
        """Fold the event that `state` are the stored bytes of."""
        rules.evolve(self.wallet, event)
        self.mark = mark_of(state)

    def fold_recorded(self, events: Sequence[RecordedEvent]) -> None:
        for recorded in events:
            rules.evolve(self.wallet, cast("WalletEvent", _topics.decode(recorded.topic, recorded.state)))
        if events:
            self.mark = mark_of(events[-1].state)

    @property
    def is_worth_keeping(self) -> bool:
        return self.wallet.version - self.kept_version >= SNAPSHOT_EVERY

    def snapshot(self) -> bytes:
        """The bytes to keep; from now on they count as kept."""
        self.kept_version = self.wallet.version
        return encode_snapshot(self.wallet, mark=self.mark)


def load_wallet(store: EventStore, account_id: UUID) -> KnownWallet:
    """The wallet as it stands; a long tail leaves a snapshot behind.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    stream_id = wallet_stream(account_id)
    known = _load(store, stream_id)
    if known.is_worth_keeping:
        store.keep_snapshot(stream_id, known.wallet.version, known.snapshot())
    return known


def refresh_snapshot(store: EventStore, stream_id: UUID) -> None:
    """Keep a wallet stream as it stands, however short its tail: what comes before is about to be far away.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    known = _load(store, stream_id)
    store.keep_snapshot(stream_id, known.wallet.version, known.snapshot())


def _load(store: EventStore, stream_id: UUID) -> KnownWallet:
    snapshot = decode_snapshot(store.read_snapshot(stream_id) or b"")
    tail = None
    if snapshot is not None:
        known = KnownWallet(snapshot.wallet, snapshot.mark, snapshot.wallet.version)
        tail = _read_on(store, stream_id, version=known.wallet.version, mark=known.mark)
    if tail is None:
        known, tail = KnownWallet(Wallet(), b"", 0), store.read_stream(stream_id)
    known.fold_recorded(tail)
    return known


def read_on(store: EventStore, account_id: UUID, *, version: int, mark: bytes) -> list[RecordedEvent] | None:
    """The wallet's events after `version`; None when the log's event at `version` is not the one with that mark.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    return _read_on(store, wallet_stream(account_id), version=version, mark=mark)


def _read_on(store: EventStore, stream_id: UUID, *, version: int, mark: bytes) -> list[RecordedEvent] | None:
    events = store.read_stream(stream_id, after_version=max(version - 1, 0))
    if not version:
        return events
    if not events or events[0].version != version or mark_of(events[0].state) != mark:
        return None
    return events[1:]
