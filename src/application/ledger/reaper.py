"""Ends the leases of processes that died or fell silent, so that their credit comes back to the wallets.

Safe to run anywhere and as often as one likes: the fence is an append of the stream's next version, so an
owner that still lives loses its lease, never the customer's money. Blocking; runs outside the event loop.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import structlog

from application.clock import Clock
from application.eventlog import EventStore, NewEvent, RecordedEvent
from application.ledger.ports import Liveness, Presence
from application.ledger.wallet_access import wallet_stream
from domain.event import Event, TopicRegistry, encode
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import (
    LEDGER_EVENTS,
    WALLET_EVENTS,
    LeaseEvent,
    LeaseGranted,
    LeaseSettled,
    Owner,
    WalletEvent,
)
from domain.ledger.lease import Lease
from domain.ledger.wallet import Wallet

SILENT_FACTOR = 2
"""An owner that still has its lock is fenced after this many lease validities without a renewal (rule R2)."""
LOOK_EVENTS_MAX = 5_000

log = structlog.get_logger()

_topics = TopicRegistry(*LEDGER_EVENTS)
_wallet_topics = frozenset(event.TOPIC for event in WALLET_EVENTS)


class Reaper:
    """Follows grants and settlements in the log, and fences what belongs to the dead."""

    def __init__(
        self, *, store: EventStore, presence: Presence, clock: Clock, me: Owner, lease_valid_s: float
    ) -> None:
        self._store = store
        self._presence = presence
        self._clock = clock
        self._me = me
        self._silent_s_max = SILENT_FACTOR * lease_valid_s
        self._position = 0
        self._open: dict[UUID, tuple[UUID, Owner]] = {}  #: lease id -> (account id, owner)
        self._suspects: set[UUID] = set()  #: instances seen without their lock in the previous round

    def run_once(self) -> list[UUID]:
        """Fence what should be fenced now; the ids of the leases that this call ended."""
        self._follow()
        dead = self._dead_instances()
        ended = []
        for lease_id, (account_id, owner) in list(self._open.items()):
            if owner.instance_id in dead and fence_lease(
                self._store,
                account_id=account_id,
                lease_id=lease_id,
                by=self._me,
                reason=dead[owner.instance_id],
                now_us=self._clock.now_us(),
            ):
                log.warning("lease_fenced", account_id=str(account_id), lease_id=str(lease_id))
                ended.append(lease_id)
        return ended

    def _follow(self) -> None:
        while batch := self._store.read_control(after_position=self._position, limit=LOOK_EVENTS_MAX):
            for recorded in batch:
                if recorded.topic in _wallet_topics:
                    self._note(_topics.decode(recorded.topic, recorded.state))
            self._position = batch[-1].position

    def _note(self, event: Event) -> None:
        if isinstance(event, LeaseGranted):
            self._open[event.lease_id] = (event.account_id, event.owner)
        elif isinstance(event, LeaseSettled):
            self._open.pop(event.lease_id, None)

    def _dead_instances(self) -> dict[UUID, str]:
        """Instances to fence, with the reason.

        An instance without its lock is fenced when it was without it in two rounds: after a restart of the
        database every owner needs a moment to take its lock again.
        """
        owners = {owner.instance_id for _, owner in self._open.values()} - {self._me.instance_id}
        if not owners:
            self._suspects = set()
            return {}
        known = self._presence.liveness(sorted(owners))
        lockless = {instance for instance in owners if not _has_lock(known.get(instance))}
        dead = dict.fromkeys(lockless & self._suspects, "owner is dead")
        for instance, liveness in known.items():
            if liveness.has_lock and liveness.silent_s > self._silent_s_max:
                dead[instance] = "owner is silent"
        self._suspects = lockless
        return dead


def _has_lock(liveness: Liveness | None) -> bool:
    return liveness is not None and liveness.has_lock


def fence_lease(
    store: EventStore, *, account_id: UUID, lease_id: UUID, by: Owner, reason: str, now_us: int
) -> bool:
    """Fence and settle one lease in one append, whatever its owner is doing; False if it had ended already.

    Almost all of both streams is folded before the log's lock is taken, only their tails under it (rule R10).
    """
    wallet_id = wallet_stream(account_id)
    lease, wallet = Lease(lease_id), Wallet()
    _fold(lease, wallet, store.read_stream(lease_id))
    _fold(lease, wallet, store.read_stream(wallet_id))

    def decide(tail: list[RecordedEvent]) -> Sequence[NewEvent]:
        _fold(lease, wallet, tail)
        if lease.ended or lease_id not in wallet.leases:
            return ()
        ending = lease_rules.fence(lease, by=by, reason=reason, now_us=now_us)
        settling = wallet_rules.settle_lease(
            wallet,
            account_id=account_id,
            lease_id=lease_id,
            outcome="fenced",
            charged_nano=lease.charged_nano,
            charges=lease.charges,
            last_version=lease.version + len(ending),
            now_us=now_us,
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
