"""Whatever two processes do to one account while the log refuses at random, its books are sound after every event."""

import asyncio
from contextlib import suppress
from random import Random

import pytest

from application.eventlog import EventLogError, JournalFull, LogUnavailable, UnstorableEvent
from application.ledger.lender import LedgerLimits
from application.verify import render_text, verify
from domain.ledger.credit import LotConditions
from domain.ledger.events import (
    LeaseExtended,
    LeaseGaveBack,
    LeaseGranted,
    LeaseReduced,
    LeaseSettled,
    LeaseToppedUp,
    RequestAdmitted,
    UsageCharged,
)
from domain.ledger.refusals import LedgerRefusal
from tests.application.ledger.ledger_world import ACCOUNT, ANSWER, TOPICS, LedgerWorld, Process, played

CREDIT_NANO = 400
CLIENTS = 5
STEPS = 25
ALIASES = ("m", "n")
LIMITS = LedgerLimits(recall_wait_s=0.05, hold_wait_s=2.0)
FAULTS = (LogUnavailable("away"), UnstorableEvent("bad"), JournalFull("full"))
TOPICS_REFUSED = [
    kind.TOPIC
    for kind in (
        *(LeaseGranted, LeaseExtended, LeaseReduced, LeaseSettled, LeaseToppedUp, LeaseGaveBack),
        *(RequestAdmitted, UsageCharged),
    )
]


async def _turns(random: Random) -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


async def _request(world: LedgerWorld, process: Process, random: Random) -> None:
    """Held, then charged at up to twice its hold, or given back; a full journal is tried again as the gateway does."""
    hold = await process.hold(random.randrange(1, CREDIT_NANO // 3), random.choice(ALIASES))
    await _turns(random)
    rated_nano = random.randrange(2 * hold.hold_nano)
    is_released = random.random() < 0.3
    while True:
        try:
            if is_released:
                ended = hold.release(code="x", attempts=(), total_ms=1, now_us=world.clock.now_us())
            else:
                ended = hold.charge(rated_nano=rated_nano, answer=ANSWER, now_us=world.clock.now_us())
        except JournalFull:
            await asyncio.sleep(0)
            continue
        process.book.settled(ACCOUNT)
        await ended
        return


def _grant(world: LedgerWorld, random: Random) -> None:
    """Of any source, often for one model or with an end that upkeep will pass."""
    conditions = LotConditions(
        priority=random.choice((10, 50)),
        expires_us=random.choice((None, world.clock.now_us() + 5_000_000)),
        aliases=random.choice(((), ALIASES[:1])),
    )
    world.grant(random.randrange(1, 50), source=random.choice(("paid", "promo")), conditions=conditions)


async def _client(world: LedgerWorld, random: Random, upkeep: asyncio.Lock) -> None:
    for _ in range(STEPS):
        process = random.choice((world.first, world.second))
        chance = random.random()
        with suppress(EventLogError, LedgerRefusal):
            if chance < 0.6:
                await _request(world, process, random)
            elif chance < 0.75:
                process.journal.faults[random.choice(TOPICS_REFUSED)] = random.choice(FAULTS)
            elif chance < 0.85:
                for one in process.book._accounts.values():
                    one.recall_asked()
            elif chance < 0.97:
                world.clock.move(random.choice((0.1, 3.0, 700.0)))
                async with upkeep:  # a process has one task for it
                    await process.keep_up()
            else:
                _grant(world, random)
        await _turns(random)


@pytest.mark.parametrize("seed", range(40))
def test_no_event_overdraws_an_account_and_no_credit_is_lost(seed: int) -> None:
    """Refolded after every event; in the end nothing is lent, and the customer has what was not charged."""

    async def scenario(world: LedgerWorld) -> None:
        upkeep = asyncio.Lock()
        await asyncio.gather(*(_client(world, Random(f"{seed}.{one}"), upkeep) for one in range(CLIENTS)))
        for process in (world.first, world.second):
            process.journal.faults.clear()
            for _ in range(3):
                await process.keep_up()

    world = played(scenario, credit_nano=CREDIT_NANO, limits=LIMITS)
    report = verify(world.store, TOPICS)
    assert set(report.counts) <= {"P12"}, render_text(report)  # these books have no price list
    assert report.figures.requests > 5
