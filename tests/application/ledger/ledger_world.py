"""Two gateway processes' lease books on one log in memory, joined by a hub that carries their messages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from uuid import UUID

from adapters.eventstore.memory import MemoryJournal
from application.eventlog import EventLogError, JournalFull, NewEvent
from application.ledger.account_credit import AccountCredit
from application.ledger.grant_credit import GrantCredit, grant_credit
from application.ledger.lease_book import LeaseBook
from application.ledger.lender import LedgerLimits, LedgerTools, LiveGateways
from application.ledger.live_lease import Admission, Hold, LiveLease
from application.ledger.ports import Liveness
from application.ledger.recall import RecallMessages
from application.ledger.wallet_reader import wallet_stream
from domain.budgets.budget import Budget
from domain.budgets.events import SHARE_EVENTS
from domain.event import Event, TopicRegistry
from domain.ledger.credit import UNCONDITIONAL, LotConditions
from domain.ledger.events import LEDGER_EVENTS, Owner, Units, UsageCharged
from domain.ledger.idempotency import IDEMPOTENCY_EVENTS
from domain.ledger.lease import Answer
from domain.ledger.lots import LotSource
from domain.ledger.postings import TrialBalance, load_rules, postings
from tests.fakes import CountingIds, ManualClock, MemoryEventStore

PLENTY_NANO = 1_000_000
ACCOUNT = UUID(int=1 << 64)
KEY = UUID(int=2 << 64)
TOPICS = TopicRegistry(*LEDGER_EVENTS, *IDEMPOTENCY_EVENTS, *SHARE_EVENTS)
WITHIN_S = 30.0


class Hub:
    """Carries messages to every process in a later turn of the loop, as the database's notifications do."""

    def __init__(self) -> None:
        self._receivers: list[Callable[[str], None]] = []
        self.sent: list[str] = []
        self.lose: list[str] = []  #: the next message that begins with one of these is lost

    def poke(self, message: str) -> None:
        self.sent.append(message)
        for beginning in self.lose:
            if message.startswith(beginning):
                self.lose.remove(beginning)
                return
        for receive in self._receivers:
            asyncio.get_running_loop().call_soon(receive, message)

    def subscribe(self, receive: Callable[[str], None]) -> None:
        self._receivers.append(receive)


class NobodyElse:
    """Presence as two processes that live see it."""

    def liveness(self, instance_ids: list[UUID]) -> dict[UUID, Liveness]:
        return {one: Liveness(Owner(one, 1), has_lock=True, silent_s=0.0) for one in instance_ids}

    def live_gateways(self) -> int:
        return 2


class FaultyJournal(MemoryJournal):
    """Answers the next append that begins with a topic by an error instead of storing it."""

    def __init__(self, store: MemoryEventStore, *, events_max: int) -> None:
        super().__init__(store, events_max=events_max)
        self.faults: dict[str, EventLogError] = {}

    def append(self, events: Sequence[NewEvent]) -> "asyncio.Future[int]":
        fault = self.faults.pop(events[0].topic, None)
        if fault is None:
            return super().append(events)
        if isinstance(fault, JournalFull):
            raise fault
        refused = asyncio.get_running_loop().create_future()
        refused.set_exception(fault)
        return refused


class Process:
    """One gateway process as far as the ledger goes."""

    def __init__(self, world: "LedgerWorld", number: int, limits: LedgerLimits) -> None:
        self.owner = Owner(UUID(int=number << 96), 1)
        self.journal = FaultyJournal(world.store, events_max=64)
        self._clock = world.clock
        self.tools = LedgerTools(
            owner=self.owner,
            store=world.store,
            journal=self.journal,
            presence=NobodyElse(),
            messages=RecallMessages(world.hub, instance_id=self.owner.instance_id),
            clock=world.clock,
            ids=world.ids,
            limits=limits,
            gateways=LiveGateways(),
        )
        self.book = LeaseBook(self.tools)
        world.hub.subscribe(self.book.receive)

    async def hold(self, hold_nano: int, alias: str = "m", *, budgets: tuple[Budget, ...] = ()) -> Hold:
        return await self.book.hold(admission(hold_nano, alias, budgets=budgets))

    async def fill_journal(self, holds: list[Hold]) -> None:
        """Hold until the paused journal takes no more; raises what the last request got."""
        for _ in range(100):
            holds.append(await self.hold(1))  # noqa: PERF401  # what was held before the refusal counts

    async def charge(self, hold: Hold, rated_nano: int) -> None:
        await hold.charge(rated_nano=rated_nano, answer=ANSWER, now_us=self._clock.now_us())
        self.book.settled(ACCOUNT)

    async def serve(
        self, hold_nano: int, rated_nano: int, alias: str = "m", *, budgets: tuple[Budget, ...] = ()
    ) -> None:
        """One request from its hold to its charge."""
        hold = await self.hold(hold_nano, alias, budgets=budgets)
        await hold.admitted
        await self.charge(hold, rated_nano)

    async def keep_up(self) -> None:
        await self.book._keep_accounts_up()

    @property
    def account(self) -> AccountCredit:
        return self.book._accounts[ACCOUNT]

    @property
    def live(self) -> LiveLease:
        """The lease that requests are admitted from."""
        live = self.account._leases.active
        assert live is not None
        return live

    async def give_back(self) -> None:
        await self.account._leases.give_back(self.live)


class LedgerWorld:
    """The log, the clock and the processes."""

    def __init__(self, credit_nano: int, *, limits: LedgerLimits | None = None) -> None:
        self.store = MemoryEventStore()
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.hub = Hub()
        self.grant(credit_nano)
        given = limits or LedgerLimits(recall_wait_s=WITHIN_S, hold_wait_s=2 * WITHIN_S)
        self.first, self.second = Process(self, 1, given), Process(self, 2, given)

    def grant(
        self, amount_nano: int, *, source: LotSource = "paid", conditions: LotConditions = UNCONDITIONAL
    ) -> UUID:
        command = GrantCredit(
            account_id=ACCOUNT,
            lot_id=self.ids.new(),
            amount_nano=amount_nano,
            source=source,
            reason="test",
            granted_by="test",
            conditions=conditions,
        )
        grant_credit(command, store=self.store, clock=self.clock)
        return command.lot_id

    def ending(self, seconds: float) -> LotConditions:
        """Of a lot that is over in so many seconds."""
        return LotConditions(expires_us=self.clock.now_us() + round(seconds * 1_000_000))

    def lose_tail(self, *, after_position: int) -> None:
        """What a failover to a standby that lags does: the last commits are gone."""
        store = self.store
        del store._log[after_position:]
        store._heads = {one.stream_id: one.version for one in store._log}

    def facts(self, kind: type[Event] | None = None) -> list[Event]:
        facts = [TOPICS.decode(one.topic, one.state) for one in self.store.log]
        return [fact for fact in facts if kind is None or isinstance(fact, kind)]

    def balance(self) -> TrialBalance:
        """The books over the whole log: they balance after every event, and nothing is overdrawn."""
        rules = load_rules()
        balance = TrialBalance(rules)
        for one in self.store.log:
            for posting in postings(rules, TOPICS.decode(one.topic, one.state), stream_id=one.stream_id):
                balance.post(posting)
            assert balance.total_nano() == 0
        assert balance.below_floor() == []
        return balance

    async def closed(self) -> dict[str, int]:
        """Both processes settle; what every account of the books then holds, but for the empty ones."""
        for process in (self.first, self.second):
            await process.book.close()
            await process.journal.close()
        return {name: nano for name, nano in self.balance().balances.items() if nano}

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop run until something has happened."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110  # a condition on the log, which tells nobody
                await asyncio.sleep(0)


def played(
    scenario: Callable[[LedgerWorld], Awaitable[None]],
    *,
    credit_nano: int = PLENTY_NANO,
    limits: LedgerLimits | None = None,
) -> LedgerWorld:
    """Run it, settle everything, and check that nothing is lent and the customer has what was not charged."""
    world = LedgerWorld(credit_nano, limits=limits)

    async def run() -> dict[str, int]:
        await scenario(world)
        return await world.closed()

    left = asyncio.run(run())
    charged_nano = sum(fact.charge_nano for fact in world.facts() if isinstance(fact, UsageCharged))
    assert not [name for name in left if name.startswith("leased:")]
    in_wallet_nano = sum(nano for name, nano in left.items() if name.startswith("wallet:"))
    granted_nano = -sum(nano for name, nano in left.items() if name.startswith("issued:"))
    assert in_wallet_nano == granted_nano - charged_nano - left.get("breakage", 0)
    return world


_requests = count(1)


def admission(hold_nano: int, alias: str = "m", *, budgets: tuple[Budget, ...] = ()) -> Admission:
    return Admission(
        request_id=UUID(int=next(_requests) << 32),
        account_id=ACCOUNT,
        key_id=KEY,
        alias=alias,
        stream=False,
        hold_nano=hold_nano,
        price_version=1,
        budgets=budgets,
    )


ANSWER = Answer(
    key_id=KEY,
    alias="m",
    price_version=1,
    units=Units(input=1),
    usage_source="provider",
    result="completed",
    provider="p",
    deployment_id=KEY,
    attempts=(),
    first_byte_ms=1,
    total_ms=2,
)

WALLET = wallet_stream(ACCOUNT)
