"""P31 as a state machine: processes lend themselves shares of hard budgets, serve requests out of them, and die.

Two keys of one account: both count in a budget of the account over two hours and in a soft one, the first in a budget of its
own by day as well. Credit is no object here. What processes believe of a budget's stream may be old, an append's outcome may be
unknown or late, and the reaper ends leases of the living and the dead. Rules are the product's; `BudgetAuditor` keeps the books.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from application.eventlog import NewEvent
from domain.budgets import book as rules
from domain.budgets.book import BudgetBook, BudgetSpent, ShareGone, share_stream
from domain.budgets.budget import Budget
from domain.budgets.window import HOUR_US, BudgetWindow, bucket_at
from domain.event import Event
from domain.ledger import lease as lease_rules
from domain.ledger import leasing, shares
from domain.ledger.events import Owner
from domain.ledger.lease import Lease
from domain.ledger.refusals import AmountOutOfRange
from domain.ledger.shares import BudgetBucket, Draw
from tests.budget_audit import BudgetAuditor
from tests.model.gateway import ANSWER
from tests.model.store import Fate, Log, new_event
from tests.model.switches import Switches
from tests.model.world import ACCOUNT, ALIAS, KEY, Violation, fold_lease, require

PROCESSES: Final = 3
REAPER: Final = Owner(UUID(int=99), 1)
OTHER_KEY: Final = UUID(int=77)
CREDIT_NANO: Final = 10**6
START_US: Final = 1_760_000_400_000_000  #: a whole hour
DAY = Budget(
    budget_id=UUID(int=201),
    account_id=ACCOUNT,
    key_id=KEY,
    amount_nano=120,
    window=BudgetWindow(kind="day"),
    enforcement="hard",
    alert_percents=(),
)
HOURS = msgspec.structs.replace(
    DAY, budget_id=UUID(int=202), key_id=None, amount_nano=200, window=BudgetWindow(kind="rolling", hours=2)
)
SOFT = msgspec.structs.replace(DAY, budget_id=UUID(int=203), key_id=None, amount_nano=1, enforcement="soft")
BUDGETS: Final = {KEY: (DAY, HOURS, SOFT), OTHER_KEY: (HOURS, SOFT)}
BY_ID: Final = {one.budget_id: one for one in BUDGETS[KEY]}

which = st.integers(0, 31)
amounts = st.integers(1, 90)
flags = st.booleans()
fates = st.sampled_from((Fate.ANSWERED, Fate.ANSWERED, Fate.LOST, Fate.STORED, Fate.LATE))


class Holder(msgspec.Struct, eq=False):
    """One life of one process: its lease and the budgets' streams as it knows them."""

    owner: Owner
    lease: Lease
    books: dict[UUID, BudgetBook] = {}
    doubt: dict[UUID, list[NewEvent]] = {}  #: by stream: what was sent, and nobody said what became of it


class Budgets(RuleBasedStateMachine):
    """Everything that can happen to three budgets."""

    switches: ClassVar[Switches] = Switches()
    seen: ClassVar[set[str]] = set()  #: topics and situations of all histories
    budget_lends_first: ClassVar[bool] = True  #: off: the lease counts on a share that may not be stored
    lease_gives_first: ClassVar[bool] = True  #: off: the budget takes back what the lease still counts on
    waits_for_the_end: ClassVar[bool] = True  #: off: shares of leases that live on are settled
    resolves_doubt: ClassVar[bool] = (
        True  #: off: what is sent may still arrive when something else was decided
    )
    asks_others: ClassVar[bool] = True  #: off: a request is refused while others have what nobody holds
    grant_share: ClassVar[Callable[..., Sequence[Any]]] = staticmethod(rules.grant_share)
    settle_share: ClassVar[Callable[..., Sequence[Any]]] = staticmethod(rules.settle_share)
    admit: ClassVar[Callable[..., Sequence[Any]]] = staticmethod(lease_rules.admit)

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(self.switches)
        self.auditor = BudgetAuditor(BUDGETS[KEY])
        self._position = 0
        self._now_us = START_US
        self._ids = 1 << 32
        self.leases: set[UUID] = set()  #: that nobody has ended yet, as far as is known
        self.holders = [self._new_holder(Owner(UUID(int=10 + one), 1)) for one in range(PROCESSES)]

    # --- requests

    @rule(at=which, key=st.sampled_from((KEY, OTHER_KEY)), hold=amounts, more=amounts, fate=fates)
    def ask(self, at: int, key: UUID, hold: int, more: int, fate: Fate) -> None:
        """Serve it out of what the lease has, or of what is left, or of what others give back; or refuse it."""
        holder = self.holders[at % PROCESSES]
        draws = tuple(self._draw(budget) for budget in BUDGETS[key])
        lease_id = holder.lease.lease_id
        for prepare in (self._nothing, self._forget, self._recall):
            prepare(holder)
            for draw in draws:
                if draw.is_hard:
                    self._lend(holder, draw.bucket, hold, more, fate)
            if not shares.lacking(holder.lease.shares, draws, hold):
                self._place(holder, key, hold, draws)
                return
            fate, more = Fate.ANSWERED, 0
        if holder.lease.lease_id != lease_id:
            return  # it lost its lease on the way: the request is served anew, out of the next one
        self.seen.add("refused")
        self._check_refusal(shares.lacking(holder.lease.shares, draws, hold), holder, hold)

    @rule(at=which, pick=which, part=st.integers(0, 4))
    def answer(self, at: int, pick: int, part: int) -> None:
        """Charge a part of the hold, or more than it: then all of it."""
        holder = self.holders[at % PROCESSES]
        if holder.lease.holds:
            request_id, hold_nano = self._open(holder, pick)
            rated_nano = hold_nano * part // 3
            self._on_lease(
                holder,
                lambda lease: lease_rules.charge(
                    lease, request_id=request_id, rated_nano=rated_nano, answer=ANSWER, now_us=self._now_us
                ),
            )

    @rule(at=which, pick=which)
    def give_up(self, at: int, pick: int) -> None:
        holder = self.holders[at % PROCESSES]
        if holder.lease.holds:
            request_id, _ = self._open(holder, pick)
            self._on_lease(
                holder,
                lambda lease: lease_rules.release(
                    lease,
                    request_id=request_id,
                    key_id=KEY,
                    alias=ALIAS,
                    code="upstream_timeout",
                    attempts=(),
                    total_ms=1,
                    now_us=self._now_us,
                ),
            )

    # --- shares

    @rule(at=which, fate=fates)
    def give_back(self, at: int, fate: Fate) -> None:
        """What no request holds; the process may die between the two sides, or not learn of the second."""
        self._give_back(self.holders[at % PROCESSES], fate)

    @rule(at=which)
    def settle(self, at: int) -> None:
        """By what the log says now: a process that knows an older book would take its own ignorance for a fault."""
        holder = self.holders[at % PROCESSES]
        self._forget(holder)
        self._settle(holder)

    # --- trouble

    @rule(at=which)
    def crash(self, at: int) -> None:
        """Its next life knows nothing of this one, whose lease nobody has ended yet."""
        owner = self.holders[at % PROCESSES].owner
        self.holders[at % PROCESSES] = self._new_holder(Owner(owner.instance_id, owner.epoch + 1))

    @rule(pick=which)
    def fence(self, pick: int) -> None:
        """Whoever's it is: a living owner learns of it by its next append."""
        leases = sorted(self.leases)
        self._fence(leases[pick % len(leases)])

    @rule(pick=which)
    def deliver(self, pick: int) -> None:
        self.log.deliver(pick)

    @rule(hours=st.sampled_from((1, 1, 2, 24)))
    def time_passes(self, hours: int) -> None:
        self._now_us += hours * HOUR_US

    # --- what must hold

    @invariant()
    def no_window_is_charged_more_than_it_has(self) -> None:
        for stored in self.log.read_log(after_position=self._position):
            self.auditor.take(stored.stream_id, stored.event)
            self._position = stored.position
            self.seen.add(stored.topic)

    def teardown(self) -> None:
        """When all leases have ended and are settled, what is spent of a bucket is what was charged to it."""
        if sys.exc_info()[0] is not None:
            return  # a step has failed already
        while self.log.on_the_way:
            self.log.deliver(0)
        for lease_id in sorted(self.leases):
            self._fence(lease_id)
        self._forget(self.holders[0])
        self._settle(self.holders[0])
        self.no_window_is_charged_more_than_it_has()
        for bucket in self._buckets():
            use = self._book(self.holders[0], bucket).buckets[bucket.start_us]
            require("P31", not use.shares, f"every share of {bucket} is settled")
            require("P31", use.spent_nano == self.auditor.charged[bucket], f"{bucket} spent what was charged")

    def _check_refusal(self, lacked: Sequence[BudgetBucket], holder: Holder, hold_nano: int) -> None:
        """P27: with nobody dead and nothing on its way, what is refused does not fit beside charges and open holds."""
        alive = {one.lease.lease_id for one in self.holders}
        if self.log.on_the_way or self.leases != alive or holder.lease.lease_id not in alive:
            return
        self.no_window_is_charged_more_than_it_has()
        for bucket in lacked:
            budget = BY_ID[bucket.budget_id]
            reach_us = budget.window.reach_us
            near = [
                (one, share)
                for each in self.holders
                for one, share in each.lease.shares.items()
                if one.budget_id == bucket.budget_id and abs(one.start_us - bucket.start_us) <= reach_us
            ]
            held_nano = sum(share.held_nano for _, share in near)
            if self.auditor.left_nano(budget, bucket.start_us) - held_nano < hold_nano:
                return
        raise Violation("P27", f"refused {hold_nano} that every budget has")

    # --- how a process works

    def _place(self, holder: Holder, key: UUID, hold_nano: int, draws: tuple[Draw, ...]) -> None:
        self._ids += 1
        self._on_lease(
            holder,
            lambda lease: self.admit(
                lease,
                request_id=UUID(int=self._ids),
                key_id=key,
                alias=ALIAS,
                stream=False,
                hold_nano=hold_nano,
                price_version=1,
                client_ref=None,
                now_us=self._now_us,
                draws=draws,
            ),
        )

    def _lend(self, holder: Holder, bucket: BudgetBucket, hold_nano: int, more_nano: int, fate: Fate) -> None:
        """The budget first, then the lease; what is loose from before goes to the lease too."""
        budget = BY_ID[bucket.budget_id]

        def decide(book: BudgetBook) -> Sequence[Event]:
            has_nano = shares.free_nano(holder.lease.shares, bucket) + _loose_nano(holder, book, bucket)
            need_nano = hold_nano - has_nano
            if need_nano <= 0:
                return []
            available_nano = rules.available_nano(book, budget, bucket.start_us)
            return self.grant_share(
                book,
                budget,
                bucket_us=bucket.start_us,
                lease_id=holder.lease.lease_id,
                owner=holder.owner,
                amount_nano=max(need_nano, min(more_nano, available_nano)),
                now_us=self._now_us,
            )

        try:
            self._on_book(holder, bucket, decide, fate)
        except BudgetSpent:
            return
        loose_nano = _loose_nano(holder, self._book(holder, bucket), bucket)
        if not self.budget_lends_first:
            loose_nano = max(loose_nano, hold_nano - shares.free_nano(holder.lease.shares, bucket))
        if loose_nano > 0:
            self._on_lease(
                holder, lambda lease: leasing.raise_share(lease, bucket=bucket, amount_nano=loose_nano)
            )

    def _give_back(self, holder: Holder, fate: Fate) -> None:
        """The lease first, then the budget: what is loose then."""
        for bucket in list(self._buckets()):
            free_nano = shares.free_nano(holder.lease.shares, bucket)
            if free_nano and self.lease_gives_first:
                self._on_lease(
                    holder,
                    lambda lease, bucket=bucket, free_nano=free_nano: leasing.return_share(
                        lease, bucket=bucket, amount_nano=free_nano
                    ),
                )

            def decide(book: BudgetBook, bucket: BudgetBucket = bucket) -> Sequence[Event]:
                loose_nano = _loose_nano(holder, book, bucket)
                if not self.lease_gives_first:
                    loose_nano += shares.free_nano(holder.lease.shares, bucket)
                if loose_nano <= 0:
                    return []
                return rules.return_share(
                    book,
                    bucket.budget_id,
                    bucket_us=bucket.start_us,
                    lease_id=holder.lease.lease_id,
                    amount_nano=loose_nano,
                    now_us=self._now_us,
                )

            self._on_book(holder, bucket, decide, fate)

    def _settle(self, holder: Holder) -> None:
        """Account for the shares of leases that have ended, by what their streams say."""
        for bucket in self._buckets():
            use = self._book(holder, bucket).buckets.get(bucket.start_us)
            for lease_id in () if use is None else list(use.shares):
                lease = self._stored(lease_id)
                if lease.ended or not self.waits_for_the_end:
                    self._settle_one(holder, bucket, lease)

    def _settle_one(self, holder: Holder, bucket: BudgetBucket, lease: Lease) -> None:
        share = lease.shares.get(bucket)
        charged_nano = 0 if share is None else share.charged_nano

        def decide(book: BudgetBook) -> Sequence[Event]:
            try:
                return self.settle_share(
                    book,
                    bucket.budget_id,
                    bucket_us=bucket.start_us,
                    lease_id=lease.lease_id,
                    charged_nano=charged_nano,
                    now_us=self._now_us,
                )
            except ShareGone:  # somebody else was faster
                return []
            except AmountOutOfRange as refusal:
                raise Violation("P31", "a lease charged more than its share") from refusal

        self._on_book(holder, bucket, decide, Fate.ANSWERED)

    def _recall(self, holder: Holder) -> None:
        """Everybody gives back what nobody holds, and what the dead left is settled."""
        for other in self.holders if self.asks_others else ():
            self._forget(other)
            self._give_back(other, Fate.ANSWERED)
        self._forget(holder)
        self._settle(holder)

    def _forget(self, holder: Holder) -> None:
        """Read the budgets' streams anew."""
        holder.books.clear()

    def _nothing(self, holder: Holder) -> None:
        """As it believes things to be."""

    # --- streams

    def _on_lease(self, holder: Holder, decide: Callable[[Lease], Sequence[Event]]) -> None:
        """One append to its own stream; who finds that another has written there has lost the lease."""
        lease = holder.lease
        decided = decide(lease)
        group = [
            new_event(lease.lease_id, version, one) for version, one in enumerate(decided, lease.version + 1)
        ]
        if self.log.append_batch([group])[0]:
            for event in decided:
                fold_lease(lease, event)
        else:
            self.seen.add("lease lost")
            holder.lease = self._open_lease(holder.owner)

    def _on_book(
        self,
        holder: Holder,
        bucket: BudgetBucket,
        decide: Callable[[BudgetBook], Sequence[Event]],
        fate: Fate,
    ) -> None:
        """One change of a budget's stream, again on the newest if another was faster; an unknown outcome is read later."""
        while True:
            book = self._book(holder, bucket)
            decided = decide(book)
            stream_id = share_stream(BY_ID[bucket.budget_id], bucket.start_us)
            group = [
                new_event(stream_id, version, one) for version, one in enumerate(decided, book.version + 1)
            ]
            if not group:
                return
            del holder.books[stream_id]
            if fate is not Fate.ANSWERED:
                holder.doubt[stream_id] = group
                self.log.send([group], fate)
                return
            if self.log.append_batch([group])[0]:
                return
            self.seen.add("share contended")

    def _book(self, holder: Holder, bucket: BudgetBucket) -> BudgetBook:
        """As this process read it last. What it does not know the outcome of is sent again before: its version is taken then."""
        stream_id = share_stream(BY_ID[bucket.budget_id], bucket.start_us)
        group = holder.doubt.pop(stream_id, None)
        if group is not None and self.resolves_doubt and not self.log.has(group):
            self.log.append_batch([group])
        book = holder.books.get(stream_id)
        if book is None:
            book = holder.books[stream_id] = BudgetBook()
            for stored in self.log.read_stream(stream_id):
                _fold(book, stored.event)
        return book

    def _buckets(self) -> Iterator[BudgetBucket]:
        """Of which anything was ever lent."""
        found = {
            BudgetBucket(event.budget_id, event.bucket_us)
            for event in (stored.event for stored in self.log.events)
            if isinstance(event, rules.BudgetShareGranted)
        }
        return iter(sorted(found, key=lambda one: (one.budget_id, one.start_us)))

    # --- leases

    def _new_holder(self, owner: Owner) -> Holder:
        return Holder(owner, self._open_lease(owner))

    def _open_lease(self, owner: Owner) -> Lease:
        self._ids += 1
        lease = Lease(UUID(int=self._ids))
        opened = leasing.open_lease(
            lease, account_id=ACCOUNT, owner=owner, amount_nano=CREDIT_NANO, valid_ms=1, now_us=self._now_us
        )
        self.log.append([new_event(lease.lease_id, 1, opened[0])])
        fold_lease(lease, opened[0])
        self.leases.add(lease.lease_id)
        return lease

    def _fence(self, lease_id: UUID) -> None:
        lease = self._stored(lease_id)
        fenced = leasing.fence(lease, by=REAPER, reason="silent", now_us=self._now_us)
        self.log.append(
            [new_event(lease_id, version, event) for version, event in enumerate(fenced, lease.version + 1)]
        )
        self.leases.discard(lease_id)
        if not self.leases:
            self.holders[0] = self._new_holder(self.holders[0].owner)

    def _stored(self, lease_id: UUID) -> Lease:
        lease = Lease(lease_id)
        for stored in self.log.read_stream(lease_id):
            fold_lease(lease, stored.event)
        return lease

    def _draw(self, budget: Budget) -> Draw:
        bucket = bucket_at(budget.window, self._now_us)
        return Draw(BudgetBucket(budget.budget_id, bucket.start_us), budget.is_hard)

    def _open(self, holder: Holder, pick: int) -> tuple[UUID, int]:
        held = sorted(holder.lease.holds.items())
        return held[pick % len(held)]


def _loose_nano(holder: Holder, book: BudgetBook, bucket: BudgetBucket) -> int:
    """Lent to the lease, as far as is known, and not counted on by it."""
    share = holder.lease.shares.get(bucket)
    in_lease_nano = 0 if share is None else share.amount_nano
    return book.share_nano(bucket.start_us, holder.lease.lease_id) - in_lease_nano


def _fold(book: BudgetBook, event: Any) -> None:
    try:
        rules.evolve(book, event)
    except KeyError as error:
        raise Violation("fold", f"budget: {event}") from error
