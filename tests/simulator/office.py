"""Operators, a provider and a customer beside the processes: charges are reviewed, reported late and disputed, codes redeemed.

By the model's own desk and counter, on the simulator's log; each draws from a seed of its own, so what the others draw stays.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from application.eventlog import NewEvent
from domain.ledger.adjusting import NotEnoughToTake
from domain.ledger.charges import Ended
from domain.ledger.wallet import Wallet
from domain.promotions.batch import CodeLimit, CodeUsed
from domain.refusal import BadField, NotFound, WrongState
from tests.model.desk import SECOND, Desk
from tests.model.promises import Counter, Teller, set_threshold
from tests.model.store import REGISTRY, Stored
from tests.model.switches import Deciders
from tests.model.world import ACCOUNT
from tests.simulator.store import SimStore

if TYPE_CHECKING:
    from tests.model.world import World

CODES: Final = 3
AT_ONCE: Final = 3
"""So many things of what there is to do are done in one visit."""
_REFUSALS: Final = (NotFound, WrongState, BadField, NotEnoughToTake)


class _Log:
    """The simulator's log as the model's."""

    def __init__(self, store: SimStore) -> None:
        self._store = store

    def append(self, group: Sequence[NewEvent]) -> None:
        self._store.append(list(group))

    def head(self, stream_id: UUID) -> int:
        return len(self._store.read_stream(stream_id))

    def read_stream(self, stream_id: UUID) -> list[Stored]:
        return [
            Stored(
                one.position,
                one.stream_id,
                one.version,
                one.topic,
                one.state,
                REGISTRY.decode(one.topic, one.state),
                0,
            )
            for one in self._store.read_stream(stream_id)
        ]

    def read_log(self, *, after_position: int) -> list[Stored]:
        return self._store.audited.read_log(after_position=after_position)


class _World:
    """What the desk needs of the model's world."""

    def __init__(
        self,
        store: SimStore,
        wallet: Callable[[], Wallet],
        now_us: Callable[[], int],
        new_id: Callable[[], UUID],
    ) -> None:
        self.log = _Log(store)
        self.rules = Deciders()
        self.wallet, self.now_us, self.new_id = wallet, now_us, new_id

    @property
    def at_us(self) -> int:
        return self.now_us()

    def note(self, situation: str) -> None:
        """Nobody counts here."""


class Office:
    """Does what there is to do, while the log is there."""

    def __init__(
        self, seed: int, store: SimStore, *, wallet: Callable[[], Wallet], now_us: Callable[[], int]
    ) -> None:
        self._draw = Random(f"office {seed}")
        new_id = lambda: UUID(int=self._draw.getrandbits(128))  # noqa: E731  # drawn here, and nowhere else
        world = cast("World", _World(store, wallet, now_us, new_id))
        self._world = world
        self._store = store
        self._desk = Desk(world)
        self._counter = Counter(world)
        self._teller = Teller(world)

    def begin(self, amount_nano: int) -> None:
        """The account is told of when it falls below so much; and there are codes, each good for as much."""
        set_threshold(self._world, ACCOUNT, amount_nano)
        self._counter.issue(
            count=CODES, per_account=CODES - 1, amount_nano=amount_nano, until_us=None, aliases=()
        )

    def work(self) -> None:
        if self._store.away:
            return
        self._desk.read_on()
        acts = (self._dispute, self._review, self._hear_late, self._decide, self._redeem)
        for act in self._draw.sample(acts, AT_ONCE):
            act()
        self.tell()

    def tell(self) -> None:
        """Of low balances; by somebody who has only come, now and then."""
        if self._draw.random() < 0.2:  # now and then
            self._teller = Teller(self._world)
        self._teller.tell()

    # --- one thing

    def _review(self) -> None:
        waiting = [
            one
            for one in self._desk.ended.values()
            if one.held_for_review or self._desk.case(one.request_id).is_disputed
        ]
        if waiting:
            ended = self._draw.choice(waiting)
            right_nano = self._draw.choice((None, 0, ended.hold_nano // 2))
            self._try(lambda: self._desk.review(ended, right_nano))

    def _dispute(self) -> None:
        self._with_one(lambda ended: self._desk.dispute(ended, "counted-wrongly"))

    def _hear_late(self) -> None:
        report_ref = f"r-{self._draw.getrandbits(64)}"
        factor = self._draw.choice((0.0, 0.5, 1.0, 1.5))
        self._with_one(lambda ended: self._desk.told(ended, report_ref, int(ended.hold_nano * factor)))

    def _decide(self) -> None:
        waiting = self._desk.waiting()
        if waiting:
            adjustment_id, agrees = self._draw.choice(waiting), self._draw.random() < 0.5
            self._try(lambda: self._desk.settle(adjustment_id, by=SECOND, agrees=agrees))

    def _redeem(self) -> None:
        try:
            draft = self._counter.draft(*self._draw.choice(self._counter.codes))
        except (CodeUsed, CodeLimit):
            return
        self._world.log.append(draft)

    def _with_one(self, act: Callable[[Ended], object]) -> None:
        if self._desk.ended:
            ended = self._draw.choice(list(self._desk.ended.values()))
            self._try(lambda: act(ended))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except _REFUSALS:
            return
