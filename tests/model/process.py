"""What every process does: cache the wallet, own leases, append through its journal, and put itself right.

It decides on what it believes, folds its own decisions at once, and learns from the journal what was stored. When a
group was not stored it reads the streams of that group again and decides anew.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from application.eventlog import NewEvent
from domain.event import Event
from domain.ledger.events import Owner
from domain.ledger.lease import Lease
from domain.ledger.wallet import Wallet
from tests.model.journal import Group, Journal, Outcome, nothing, renumber_and_append
from tests.model.store import REGISTRY, Fate, new_event
from tests.model.world import WALLET, Violation, World, fold_lease, fold_wallet

State = TypeVar("State", Wallet, Lease)
SYNC_ROUNDS_MAX = 30


class Draft:
    """One group under decision: what was decided is folded at once, so that the next decision sees it."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self.events: list[NewEvent] = []

    def wallet(self, decided: Sequence[Event]) -> None:
        for event in decided:
            self.events.append(new_event(WALLET, self._process.wallet.version + 1, event))
            fold_wallet(self._process.wallet, event)

    def lease(self, lease: Lease, decided: Sequence[Event]) -> None:
        for event in decided:
            self.events.append(new_event(lease.lease_id, lease.version + 1, event))
            fold_lease(lease, event)


class Process:
    """One life of one instance."""

    def __init__(self, world: World, owner: Owner) -> None:
        self.owner = owner
        self.frozen = False
        self.wallet = world.wallet()
        self.leases: dict[UUID, Lease] = {}
        self.journal = Journal(world.log, world.switches)
        self._world = world
        self._rules = world.rules
        self._micro: set[UUID] = set()

    def bulk_leases(self) -> list[Lease]:
        """The live leases that serve more than one request."""
        return [
            lease for lease in self.leases.values() if not lease.ended and lease.lease_id not in self._micro
        ]

    def flush(self, count: int, fate: Fate) -> None:
        self._take(self.journal.flush(count, fate))

    def resolve(self) -> None:
        if self.journal.doubt:
            self._take(self.journal.resolve())

    def sync(self) -> None:
        """Store everything that waits, then read the wallet."""
        for _ in range(SYNC_ROUNDS_MAX):
            if self.journal.is_idle:
                self.wallet = self._world.wallet()
                return
            self.flush(len(self.journal.queue), Fate.ANSWERED)
        raise Violation("liveness", f"the journal of {self.owner} does not become empty")

    def refresh(self) -> None:
        """Read the wallet, unless a change of it is waiting, and see which leases others have ended."""
        if not self.journal.touches(WALLET):
            self.wallet = self._world.wallet()
            for lease_id in self.leases.keys() - self.wallet.leases.keys():
                self._drop(lease_id)

    def _submit(
        self,
        draft: Draft,
        *,
        stored: Callable[[], None] = nothing,
        then: Callable[[], None] = nothing,
        redo: Callable[[], None] = nothing,
    ) -> None:
        if draft.events:
            self.journal.queue.append(Group(draft.events, stored, then, redo))

    def _take(self, outcome: Outcome) -> None:
        """Act on what was stored; read again what was not, and decide anew."""
        for group in outcome.stored:
            group.stored()
        if outcome.failed:
            self._world.note("conflict")
            self._decide_again(outcome.failed)
        for group in outcome.stored:
            group.then()

    def _decide_again(self, failed: Sequence[Group]) -> None:
        if not self._world.switches.decides_again:
            for group in failed:
                if renumber_and_append(self._world.log, group):
                    group.stored()
            return
        streams = {stream_id for group in failed for stream_id in group.streams}
        if WALLET in streams:
            self.wallet = self._world.wallet()
            self._fold_waiting(WALLET, self.wallet, fold_wallet)
        for lease_id in streams & self.leases.keys():
            self._read_again(lease_id)
        for group in failed:
            group.redo()

    def _read_again(self, lease_id: UUID) -> None:
        lease = self._world.lease(lease_id)
        if lease.version and lease.ended:
            self._drop(lease_id)
            return
        self._fold_waiting(lease_id, lease, fold_lease)
        if lease.version:
            self.leases[lease_id] = lease
        else:
            del self.leases[lease_id]

    def _fold_waiting(self, stream_id: UUID, state: State, fold: Callable[[State, Event], None]) -> None:
        """What was queued before the failed group, on another of its streams, still waits to be stored.

        Where somebody else was faster, it will fail, and with it what waits behind: that is decided anew then.
        """
        events = (event for group in self.journal.queue for event in group.events)
        for event in events:
            if event.stream_id == stream_id:
                if event.version != state.version + 1:
                    return
                fold(state, REGISTRY.decode(event.topic, event.state))

    def _drop(self, lease_id: UUID) -> None:
        """Someone else ended the lease: whoever has seen a byte sees no end of it, and pays nothing.

        A charge that is on its way may have been stored before the end; its own outcome decides.
        """
        self.leases.pop(lease_id, None)
        self._world.note("lease lost")
        for request in self._world.requests.values():
            undecided = request.rated_nano is None or not self._world.switches.outcome_decides
            if request.lease_id == lease_id and request.first_byte and undecided and not request.told:
                request.told = "failed"
