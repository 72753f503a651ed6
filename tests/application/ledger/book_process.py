"""A gateway process as far as the ledger goes, on a real Postgres: takes commands on stdin, answers on stdout.

`hold REQUEST AMOUNT [BUDGET]` answers `held` or `refused AVAILABLE`, `over AVAILABLE` where the key's budget for the day is BUDGET; `charge REQUEST AMOUNT` and `release REQUEST` end a hold,
without telling the book that it ended, so nothing is given back unasked. Each answer begins with its request.
"""

import asyncio
import sys
from uuid import UUID

import structlog

from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.store import PostgresEventStore
from adapters.eventstore.wakeups import PostgresWakeups
from adapters.presence import PostgresPresence, PresenceKeeper
from application.clock import SystemClock, SystemIds
from application.ledger.lease_book import LeaseBook
from application.ledger.lender import LedgerLimits, LedgerTools, LiveGateways
from application.ledger.live_lease import Admission, Hold
from application.ledger.recall import RecallMessages
from domain.budgets.budget import Budget
from domain.budgets.window import BudgetWindow
from domain.ids import uuid7
from domain.ledger.events import Owner, Units
from domain.ledger.lease import Answer
from domain.ledger.refusals import BudgetExceeded, InsufficientCredit

KEY, BUDGET = UUID(int=1), UUID(int=2)
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


class Desk:
    """Carries out commands, each in a task of its own."""

    def __init__(self, account_id: UUID, book: LeaseBook) -> None:
        self._account_id = account_id
        self._book = book
        self._holds: dict[str, Hold] = {}
        self._budget: Budget | None = None

    async def obey(self, line: str) -> None:
        verb, request, *amount = line.split()
        answer = await getattr(self, verb)(request, *(int(one) for one in amount))
        sys.stdout.write(f"{request} {answer}\n")
        sys.stdout.flush()

    async def hold(self, request: str, amount_nano: int, budget_nano: int = 0) -> str:
        admission = Admission(
            request_id=uuid7(),
            account_id=self._account_id,
            key_id=KEY,
            alias="m",
            stream=False,
            hold_nano=amount_nano,
            price_version=1,
            budgets=self._budgets(budget_nano),
        )
        try:
            hold = self._book.try_hold(admission) or await self._book.hold(admission)
        except InsufficientCredit as refusal:
            return f"refused {refusal.available_nano}"
        except BudgetExceeded as refusal:
            return f"over {refusal.available_nano}"
        await hold.admitted
        self._holds[request] = hold
        return "held"

    def _budgets(self, amount_nano: int) -> tuple[Budget, ...]:
        if not amount_nano:
            return ()
        if self._budget is None or self._budget.amount_nano != amount_nano:
            self._budget = Budget(
                budget_id=BUDGET,
                account_id=self._account_id,
                key_id=KEY,
                amount_nano=amount_nano,
                window=BudgetWindow(kind="month"),
                enforcement="hard",
                alert_percents=(),
            )
        return (self._budget,)

    async def charge(self, request: str, amount_nano: int) -> str:
        await self._holds.pop(request).charge(rated_nano=amount_nano, answer=ANSWER, now_us=1)
        return "charged"

    async def release(self, request: str) -> str:
        await self._holds.pop(request).release(code="test", attempts=(), total_ms=0, now_us=1)
        return "released"


async def main(url: str, account_id: UUID) -> None:
    owner = Owner(uuid7(), 1)
    journal, wakeups = GroupCommitJournal(url), PostgresWakeups(url)
    keeper = PresenceKeeper(url, owner=owner, lease_valid_s=60)
    presence = PostgresPresence(url, lease_valid_s=60)
    with PostgresEventStore(url) as store:
        book = LeaseBook(
            LedgerTools(
                owner=owner,
                store=store,
                journal=journal,
                presence=presence,
                messages=RecallMessages(wakeups, instance_id=owner.instance_id),
                clock=SystemClock(),
                ids=SystemIds(),
                # Nothing comes back because it lies idle: only a recall can bring it. Generous for a busy machine.
                limits=LedgerLimits(lease_valid_s=3_600, recall_wait_s=30, hold_wait_s=60),
                gateways=LiveGateways(count=2),
            )
        )
        keeper.start()
        journal.start()
        listening = asyncio.Event()
        wakeups.subscribe(lambda message: book.receive(message) if message else listening.set())
        wakeups.start()
        await listening.wait()
        book.start()
        await serve(Desk(account_id, book))
        await book.close()
        await journal.close()
        await wakeups.close()
    keeper.close()
    presence.close()


async def serve(desk: Desk) -> None:
    """Until stdin ends."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as tasks:
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks.create_task(desk.obey(line))


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout has the answers
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2])))
