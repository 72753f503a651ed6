"""Ends the leases of processes that died or fell silent, so that their credit comes back to the wallets.

Safe to run anywhere and as often as one likes: the fence is an append of the stream's next version, so an
owner that still lives loses its lease, never the customer's money. Blocking; runs outside the event loop.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import msgspec
import structlog

from application.clock import Clock
from application.eventlog import EventStore, NewEvent, RecordedEvent
from application.ledger.ports import Presence
from application.ledger.wallet_reader import load_wallet, wallet_stream
from domain.event import Event, TopicRegistry, UnknownTopic, encode
from domain.ledger import lease as lease_rules
from domain.ledger import leasing, lending
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import (
    LEDGER_EVENTS,
    WALLET_EVENTS,
    LeaseEvent,
    LeaseOpened,
    Owner,
    WalletEvent,
)
from domain.ledger.lease import Lease
from domain.ledger.refusals import LedgerRefusal
from domain.ledger.wallet import Wallet

SILENT_FACTOR = 2
"""An owner that still has its lock is fenced after this many lease validities without a renewal (rule R2)."""
LOOK_EVENTS_MAX = 5_000
LOOK_AFRESH_ROUNDS = 120
"""About once a minute, at two rounds a second, all open leases are read instead of only the new ones."""

log = structlog.get_logger()

_topics = TopicRegistry(*LEDGER_EVENTS)
_UNREADABLE = (UnknownTopic, msgspec.DecodeError)
_wallet_topics = frozenset(event.TOPIC for event in WALLET_EVENTS)


class Reaper:
    """Knows the open leases and their owners, and fences what belongs to the dead."""

    def __init__(
        self, *, store: EventStore, presence: Presence, clock: Clock, me: Owner, lease_valid_s: float
    ) -> None:
        self._store = store
        self._presence = presence
        self._clock = clock
        self._me = me
        self._silent_s_max = SILENT_FACTOR * lease_valid_s
        self._rounds = 0
        self._position = 0
        self._open: dict[
            UUID, tuple[UUID, Owner]
        ] = {}  #: lease id -> (account id, owner); may have ended since
        self._suspects: set[Owner] = set()  #: seen without their lock in the previous round

    def run_once(self) -> list[UUID]:
        """Fence what should be fenced now; the ids of the leases that this call ended.

        Raises:
            EventLogError: the log is away; what was fenced stays fenced, the rest is for the next call.
        """
        self._look()
        dead = self._dead_owners()
        ended = []
        for lease_id, (account_id, owner) in list(self._open.items()):
            if owner in dead:
                if self._fence(lease_id, account_id, dead[owner]):
                    ended.append(lease_id)
                del self._open[lease_id]
        return ended

    def _fence(self, lease_id: UUID, account_id: UUID, reason: str) -> bool:
        try:
            is_ended_by_us = fence_lease(
                self._store,
                account_id=account_id,
                lease_id=lease_id,
                by=self._me,
                reason=reason,
                now_us=self._clock.now_us(),
            )
        except (*_UNREADABLE, LedgerRefusal) as error:  # one damaged lease must not keep the others' credit
            log.error("lease_not_fenced", lease_id=str(lease_id), error=type(error).__name__)  # noqa: TRY400  # no values in the log
            return False
        if is_ended_by_us:
            log.warning("lease_fenced", account_id=str(account_id), lease_id=str(lease_id), reason=reason)
        return is_ended_by_us

    def _look(self) -> None:
        """Learn of leases opened since the last look; now and then of all, which forgets those that have ended."""
        if self._rounds % LOOK_AFRESH_ROUNDS == 0:
            self._position = 0
            self._open.clear()
        self._rounds += 1
        while batch := self._store.read_open_leases(after_position=self._position, limit=LOOK_EVENTS_MAX):
            for recorded in batch:
                self._note(recorded)
            self._position = batch[-1].position
            if len(batch) < LOOK_EVENTS_MAX:
                break

    def _note(self, recorded: RecordedEvent) -> None:
        try:
            opened = cast("LeaseOpened", _topics.decode(recorded.topic, recorded.state))
        except _UNREADABLE as error:
            log.error("lease_unreadable", lease_id=str(recorded.stream_id), error=type(error).__name__)  # noqa: TRY400  # no values in the log
        else:
            self._open[recorded.stream_id] = (opened.account_id, opened.owner)

    def _dead_owners(self) -> dict[Owner, str]:
        """Owners to fence, with the reason.

        One without its lock is fenced when it was without it in two rounds: after a restart of the database every
        owner needs a moment to take its lock again. An instance lives once: its earlier lives are dead at once.
        """
        owners = {owner for _, owner in self._open.values()} - {self._me}
        if not owners:
            self._suspects = set()
            return {}
        known = self._presence.liveness(sorted({owner.instance_id for owner in owners}))
        lives = {instance_id: liveness.owner for instance_id, liveness in known.items()}
        lives[self._me.instance_id] = self._me
        dead: dict[Owner, str] = {}
        lockless: set[Owner] = set()
        for owner in owners:
            liveness = known.get(owner.instance_id)
            if owner.epoch < lives.get(owner.instance_id, owner).epoch:
                dead[owner] = "owner has a later life"
            elif liveness is None or not liveness.has_lock:
                lockless.add(owner)
            elif liveness.silent_s > self._silent_s_max:
                dead[owner] = "owner is silent"
        dead |= dict.fromkeys(lockless & self._suspects, "owner is dead")
        self._suspects = lockless
        return dead


def fence_lease(
    store: EventStore, *, account_id: UUID, lease_id: UUID, by: Owner, reason: str, now_us: int
) -> bool:
    """Fence and settle one lease in one append, whatever its owner is doing; False if it had ended already.

    Almost all of both streams is folded before the log's lock is taken, only their tails under it (rule R10).
    """
    wallet_id = wallet_stream(account_id)
    lease, wallet = Lease(lease_id), load_wallet(store, account_id).wallet
    _fold(lease, wallet, store.read_stream(lease_id))

    def decide(tail: list[RecordedEvent]) -> Sequence[NewEvent]:
        _fold(lease, wallet, tail)
        if lease.ended or lease_id not in wallet.leases:
            return ()
        ending = leasing.fence(lease, by=by, reason=reason, now_us=now_us)
        settling = lending.settle_lease(
            wallet,
            account_id=account_id,
            lease_id=lease_id,
            outcome="fenced",
            charged_nano=lease.charged_nano,
            charges=lease.charges,
            last_version=lease.version + len(ending),
            now_us=now_us,
            spent=lease.spent(),
        )
        return [
            *_numbered(lease_id, lease.version, ending),
            *_numbered(wallet_id, wallet.version, settling),
        ]

    versions = {lease_id: lease.version, wallet_id: wallet.version}
    return bool(store.append_locked([lease_id, wallet_id], decide, after_versions=versions))


def _fold(lease: Lease, wallet: Wallet, events: Sequence[RecordedEvent]) -> None:
    for recorded in events:
        event = _topics.decode(recorded.topic, recorded.state)
        if recorded.topic in _wallet_topics:
            wallet_rules.evolve(wallet, cast("WalletEvent", event))
        else:
            lease_rules.evolve(lease, cast("LeaseEvent", event))


def _numbered(stream_id: UUID, version: int, events: Sequence[Event]) -> list[NewEvent]:
    return [
        NewEvent(stream_id, version + offset, event.TOPIC, encode(event))
        for offset, event in enumerate(events, 1)
    ]
