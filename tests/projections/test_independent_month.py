"""Two computations of one customer's month that share no code: the read model, and the audit program over an export."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from application.eventlog import NewEvent
from application.ledger.expire_lots import expire_lots as expire_account
from application.reports.period import DAY_US, SLOT_US, Period
from application.reports.statement import Statement
from application.repricing import approve_run, post_run
from application.repricing.approve_run import ApproveRepricing
from application.repricing.plan import plan_repricing
from application.repricing.post_run import PostRepricing
from application.verify import verify
from domain.fact import Actor
from domain.ledger.credit import LotConditions, expire_lots
from domain.ledger.events import CreditLotExpired, LeaseFenced, UsageCharged
from domain.repricing import RepricingQuestion
from domain.topics import REGISTRY
from projections.snapshot import ReadModelReader
from projections.statement_reader import StatementReader
from tests.application.verify.test_lots import ACCOUNT, END, Told
from tests.audit.exported import export
from tests.fakes import ManualClock, memory_ports
from tests.histories import FAR_US, START_US, history, numbered
from tests.projections.lab import Lab
from tests.statements import by_the_auditor, by_the_read_model
from tokenok_audit import Question, audit

FIRST_DAY_US = START_US - START_US % DAY_US


def _read(lab: Lab, account_id: UUID, period: Period) -> Statement:
    return StatementReader(lab.pool).statement(account_id, period, limit=500)


def _audited(
    place: Path, account_id: UUID, period: Period, *, but_for: frozenset[str] = frozenset()
) -> dict[str, object]:
    result = audit(place, question=Question(str(account_id), period.from_us, period.until_us))
    assert result["counts"].keys() == but_for
    statement: dict[str, object] = result["statement"]
    return statement


@pytest.mark.parametrize("seed", range(4))
def test_two_computations_of_a_month_agree_to_the_nano_credit(whole: Lab, tmp_path: Path, seed: int) -> None:
    """Over several lots, prices that change and processes that die in the middle; period after period."""
    whole.start_over(history(seed, steps=400, accounts=2))
    whole.catch_up(batch_events=70)
    export(tmp_path / "export", whole.log)
    decoded = [REGISTRY.decode(one.topic, one.state) for one in whole.log.events]
    accounts = {one.account_id for one in decoded if isinstance(one, UsageCharged)}
    assert any(isinstance(one, LeaseFenced) for one in decoded)
    assert len({one.price_version for one in decoded if isinstance(one, UsageCharged)}) > 1
    cuts_us = [
        0,
        FIRST_DAY_US + 95 * SLOT_US,
        FIRST_DAY_US + DAY_US + 7 * SLOT_US,
        2**62 // SLOT_US * SLOT_US,
    ]
    moved = 0
    for account_id in accounts:
        for from_us, until_us in pairwise(cuts_us):
            period = Period(from_us=from_us, until_us=until_us)
            read = _read(whole, account_id, period)
            assert by_the_read_model(read) == by_the_auditor(
                _audited(tmp_path / "export", account_id, period)
            )
            moved += bool(read.totals_nano)
    assert moved > 2


def test_lots_that_end_are_the_same_lines_in_both(whole: Lab, tmp_path: Path) -> None:
    """What a lease lets go of a lot that is over, and what no lease had of one: expiries to both."""
    told = Told()
    told._grant(UUID(int=24), 70, LotConditions(expires_us=END))
    told._on_wallet(expire_lots(told.wallet, account_id=ACCOUNT, now_us=END))
    assert isinstance(told.story[-1][1], CreditLotExpired)
    versions: Counter[UUID] = Counter()
    for stream_id, event in told.story:
        versions[stream_id] += 1
        whole.log.extend(numbered(stream_id, versions[stream_id], [event]))
    whole.catch_up()
    export(tmp_path / "export", whole.log)
    always = Period(from_us=0, until_us=2**62 // SLOT_US * SLOT_US)
    read = _read(whole, ACCOUNT, always)
    assert read.totals_nano == {"charge": -10, "expiry": -160, "grant": 1_220}
    # The story has no price list.
    audited = _audited(tmp_path / "export", ACCOUNT, always, but_for=frozenset({"P12"}))
    assert by_the_read_model(read) == by_the_auditor(audited)


def test_a_corrected_month_is_the_same_in_both(whole: Lab, tmp_path: Path) -> None:
    """Lots that end, adjustments both ways, lots taken back, processes that die, and a repricing on top of it all."""
    ports = memory_ports()
    ports.store.append(history(0, steps=500, accounts=2))
    assert isinstance(ports.clock, ManualClock)
    ports.clock.us = START_US + 2 * FAR_US
    question = RepricingQuestion(alias="plain", from_us=0, until_us=2**62, new_price_version=1)
    plan = plan_repricing(ports.store, question)
    assert plan.credit_nano
    first, second = Actor("operator", UUID(int=1)), Actor("operator", UUID(int=2))
    command = PostRepricing(
        plan=plan.sha256, reason="too dear", **msgspec.structs.asdict(question) | {"with_debits": True}
    )
    run = post_run.handle(command, actor=first, ports=ports)
    approve_run.handle(ApproveRepricing(run_id=run.run_id), actor=second, ports=ports)
    accounts = [one.account_id for one in plan.accounts]
    for account_id in accounts:
        expire_account(account_id, store=ports.store, clock=ports.clock)
    stored = ports.store.read_log(after_position=0, limit=100_000)
    whole.start_over([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in stored])
    whole.catch_up(batch_events=90)
    export(tmp_path / "export", whole.log)
    always = Period(from_us=0, until_us=2**62 // SLOT_US * SLOT_US)
    kinds: set[str] = set()
    for account_id in accounts:
        read = _read(whole, account_id, always)
        assert by_the_read_model(read) == by_the_auditor(_audited(tmp_path / "export", account_id, always))
        kinds |= read.totals_nano.keys()
    assert kinds >= {"charge", "grant", "adjustment", "void", "expiry", "refund"}
    assert any(one.topic == LeaseFenced.TOPIC for one in stored)
    assert verify(whole.log, REGISTRY, ReadModelReader(whole.pool)).ok
