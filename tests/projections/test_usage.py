"""The read model `usage` and its questions."""

from collections import Counter
from itertools import combinations
from uuid import UUID

import msgspec
import pytest

from application.reports.period import Period
from application.reports.usage import DURATION_BOUNDS_MS, UsageFilter, UsageGroup, percentile_ms
from domain.event import Event
from domain.fact import SYSTEM, Actor
from domain.keys.events import ApiKeyIssued
from domain.ledger.events import Attempt, RequestAbandoned, RequestReleased, UsageCharged
from domain.limits import NO_LIMITS
from domain.refusal import BadField
from domain.topics import REGISTRY
from projections.usage_reader import UsageReader
from tests.histories import START_US, history, numbered
from tests.projections.facts import (
    ACCOUNT,
    DEPLOYMENT,
    FIRST,
    KEY,
    LEASE,
    SECOND,
    THIRD,
    abandoned,
    admitted,
    charged,
    released,
)
from tests.projections.lab import Lab

ALWAYS = UsageFilter(period=Period(from_us=0, until_us=2**62))
BUSY = Attempt(
    deployment_id=DEPLOYMENT,
    provider="busy",
    model="small",
    status=429,
    outcome="rate",
    started_us=1,
    duration_ms=5,
)
DONE = msgspec.structs.replace(BUSY, provider="sandbox", model="large", status=200, outcome="ok")


@pytest.fixture
def reader(whole: Lab) -> UsageReader:
    return UsageReader(whole.pool)


def _ends(lab: Lab) -> list[tuple[int, Event]]:
    """Every end of a request in the log, with the time at which it was recorded."""
    decoded = [(one.recorded_at_us, REGISTRY.decode(one.topic, one.state)) for one in lab.log.events]
    return [
        (time_us, event)
        for time_us, event in decoded
        if isinstance(event, UsageCharged | RequestReleased | RequestAbandoned)
    ]


def test_sums_by_account_are_those_of_the_events(whole: Lab, reader: UsageReader) -> None:
    """P10, for a random history: requests, charges, tokens and durations, each account by itself."""
    whole.start_over(history(5, steps=900, accounts=4))
    whole.catch_up(batch_events=41)
    expected: dict[UUID, Counter[str]] = {}
    for _, event in _ends(whole):
        sums = expected.setdefault(event.account_id, Counter())  # type: ignore[attr-defined]  # all ends have one
        sums["requests"] += 1
        if isinstance(event, UsageCharged):
            sums["charge_nano"] += event.charge_nano
            sums["shortfall_nano"] += event.shortfall_nano
            sums["input_tokens"] += event.units.input
            sums["duration_ms"] += event.total_ms
    found = {
        row.group.account: Counter({name: getattr(row, name) for name in expected[row.group.account]})
        for row in reader.usage(ALWAYS, by=("account",)).items
        if row.group.account
    }
    assert found == expected


def test_every_table_tells_the_same(whole: Lab, reader: UsageReader) -> None:
    """However coarse the table that a question is answered from, its sums are those of the finest."""
    whole.start_over(history(5, steps=400, accounts=3))
    whole.catch_up(batch_events=31)
    groups: tuple[UsageGroup, ...] = ("hour", "account", "key", "alias", "operation")
    finest = reader.usage(ALWAYS, by=groups, limit=500).items
    asked = [by for size in range(len(groups)) for by in combinations(groups, size)]
    for by in asked:
        expected: Counter[tuple[object, ...]] = Counter()
        for row in finest:
            expected[tuple(getattr(row.group, name) for name in by)] += row.charge_nano + row.requests
        found = {
            tuple(getattr(row.group, name) for name in by): row.charge_nano + row.requests
            for row in reader.usage(ALWAYS, by=by, limit=500).items
        }
        assert found == expected, by


def test_a_request_is_the_members_who_made_its_key(whole: Lab, reader: UsageReader) -> None:
    """Others' keys are nobody's; groups with members among them go on from page to page."""
    member_id, other_key = UUID(int=0x4D), UUID(int=0x4B)
    issued = ApiKeyIssued(
        key_id=KEY,
        account_id=ACCOUNT,
        prefix="tk_live_abcd",
        secret_hash="00",
        limits=NO_LIMITS,
        occurred_us=1,
        actor=Actor("member", member_id).label,
    )
    others = msgspec.structs.replace(issued, key_id=other_key, actor=SYSTEM.label)
    ends = [charged(FIRST, 10, 4), msgspec.structs.replace(charged(SECOND, 10, 5), key_id=other_key)]
    whole.log.extend(numbered(KEY, 1, [issued]))
    whole.log.extend(numbered(other_key, 1, [others]))
    whole.log.extend(numbered(LEASE, 2, ends))
    whole.catch_up()
    nobodys, members = reader.usage(ALWAYS, by=("member",)).items
    assert (nobodys.group.member, nobodys.charge_nano) == (None, 5)
    assert (members.group.member, members.charge_nano) == (member_id, 4)
    first = reader.usage(ALWAYS, by=("member", "alias"), limit=1)
    second = reader.usage(ALWAYS, by=("member", "alias"), limit=1, after=first.next_after)
    assert [row.group.member for row in (*first.items, *second.items)] == [None, member_id]


def test_what_each_end_counts(whole: Lab, reader: UsageReader) -> None:
    """A charged request counts with its units, a released one as an error, an abandoned one without its key."""
    ends = [charged(FIRST, 10, 4), released(SECOND, 20), abandoned(THIRD, 40)]
    whole.log.extend(
        numbered(LEASE, 2, [admitted(FIRST, 10), admitted(SECOND, 20), admitted(THIRD, 40), *ends])
    )
    whole.catch_up()
    first, second, third = reader.usage(ALWAYS, by=("key", "operation")).items
    assert (first.group.key, first.requests, first.abandoned) == (None, 1, 1)
    assert (second.group.key, second.group.operation, second.released) == (KEY, None, 1)
    assert (third.group.operation, third.charged, third.charge_nano, third.output_tokens) == ("chat", 1, 4, 4)
    (total,) = reader.usage(ALWAYS, by=()).items
    assert (total.requests, total.charge_nano, total.duration_p50_ms) == (3, 4, 16)


def test_calls_count_where_they_went(whole: Lab, reader: UsageReader) -> None:
    """A failed call belongs to its own provider and model, the charge to those that served."""
    served = msgspec.structs.replace(charged(FIRST, 10, 4), attempts=(BUSY, DONE))
    failed = msgspec.structs.replace(released(SECOND, 10), attempts=(BUSY,))
    whole.log.extend(numbered(LEASE, 2, [served, failed]))
    whole.catch_up()
    rows = reader.earnings(ALWAYS, by=("provider", "model")).items
    assert [
        (row.group.provider, row.group.model, row.attempts, row.failed, row.served, row.charge_nano)
        for row in rows
    ] == [("busy", "small", 2, 2, 0, 0), ("sandbox", "large", 1, 0, 1, 4)]


def test_the_margin_takes_what_every_call_costs(whole: Lab, reader: UsageReader) -> None:
    """A call that failed after the provider began costs too; where no cost is known, that is counted, not guessed."""
    begun = msgspec.structs.replace(BUSY, cost_nano=2)
    costed = msgspec.structs.replace(DONE, cost_nano=1)
    first = msgspec.structs.replace(charged(FIRST, 10, 9), attempts=(begun, costed))
    second = msgspec.structs.replace(charged(SECOND, 10, 5), attempts=(DONE,))
    failed = msgspec.structs.replace(released(THIRD, 10), attempts=(begun,))
    whole.log.extend(numbered(LEASE, 2, [first, second, failed]))
    whole.catch_up()
    busy, sandbox = reader.earnings(ALWAYS, by=("provider",)).items
    assert (busy.cost_nano, busy.margin_nano, busy.uncosted) == (4, -4, 0)
    assert (sandbox.charge_nano, sandbox.cost_nano, sandbox.margin_nano, sandbox.uncosted) == (14, 1, 13, 1)
    (total,) = reader.earnings(ALWAYS, by=()).items
    assert total.margin_nano == 14 - 5


def test_a_request_counts_in_the_hour_of_the_readers_own_clock(whole: Lab, reader: UsageReader) -> None:
    """In Kathmandu hours begin at a quarter past ours: the same sums fall into other hours, and none is lost."""
    whole.start_over(history(6, steps=400))
    whole.catch_up()
    shift_us = (5 * 60 + 45) * 60 * 10**6
    expected = Counter((time_us + shift_us) // 3_600_000_000 for time_us, _ in _ends(whole))
    rows = reader.usage(ALWAYS, by=("hour",), zone="Asia/Kathmandu", limit=500).items
    assert [row.requests for row in rows] == [count for _, count in sorted(expected.items())]
    assert rows[0].group.hour is not None
    assert rows[0].group.hour.endswith(":00")


def test_days_add_up_to_the_whole(whole: Lab, reader: UsageReader) -> None:
    """Periods that adjoin share no request and lose none."""
    whole.start_over(history(6, steps=400))
    whole.catch_up()
    middle_us = (START_US // 86_400_000_000 + 2) * 86_400_000_000
    halves = [
        reader.usage(UsageFilter(period=Period(from_us=from_us, until_us=until_us)), by=()).items[0].requests
        for from_us, until_us in ((0, middle_us), (middle_us, 2**62))
    ]
    assert min(halves) > 0
    assert sum(halves) == len(_ends(whole))


def test_pages_give_every_group_once(whole: Lab, reader: UsageReader) -> None:
    """Going on after the last group of a page, with awkward texts and unknown values among them."""
    whole.start_over(history(7, steps=300))
    whole.catch_up()
    by: tuple[UsageGroup, ...] = ("day", "alias", "operation")
    all_of_them = reader.usage(ALWAYS, by=by, limit=500)
    assert all_of_them.next_after is None
    page = reader.usage(ALWAYS, by=by, limit=2)
    seen = list(page.items)
    while page.next_after:
        page = reader.usage(ALWAYS, by=by, after=page.next_after, limit=2)
        seen += page.items
    assert tuple(seen) == all_of_them.items


@pytest.mark.parametrize("by", ["key", "alias", "member", "operation"])
def test_the_dearest_come_first_whatever_their_name(whole: Lab, reader: UsageReader, by: UsageGroup) -> None:
    """They are among all groups, not among those of the first page."""
    whole.start_over(history(9, steps=400))
    whole.catch_up()
    rows = sorted(reader.usage(ALWAYS, by=(by,), limit=500).items, key=lambda row: -row.charge_nano)
    found = reader.dearest(ALWAYS, by=by, limit=2)
    assert len(found) == min(2, len(rows))
    assert [row.charge_nano for row in found] == [row.charge_nano for row in rows[:2]]
    assert all(row in rows for row in found)


def test_a_filter_leaves_the_others_out(whole: Lab, reader: UsageReader) -> None:
    """By account, key and alias together."""
    whole.log.extend(numbered(LEASE, 2, [charged(FIRST, 10, 4), abandoned(SECOND, 40)]))
    whole.catch_up()
    wanted = msgspec.structs.replace(ALWAYS, account_id=ACCOUNT, key_id=KEY, alias="demo")
    assert [row.requests for row in reader.usage(wanted, by=()).items] == [1]
    assert reader.usage(msgspec.structs.replace(wanted, alias="other"), by=()).items == ()


@pytest.mark.parametrize(
    ("by", "zone", "after"),
    [
        (("day", "day"), "UTC", None),
        (("day",), "Nowhere/Land", None),
        (("day",), "UTC", "[]"),
        (("account",), "UTC", '["no id"]'),
        ((), "UTC", "[]"),
    ],
)
def test_what_cannot_be_asked(
    reader: UsageReader, by: tuple[UsageGroup, ...], zone: str, after: str | None
) -> None:
    """A group twice, a zone that is nowhere, a cursor of another question: said before anything is read."""
    with pytest.raises(BadField):
        reader.usage(ALWAYS, by=by, zone=zone, after=after)


def test_percentiles_lie_in_the_class_of_the_duration() -> None:
    """Interpolated between a power of two and the next; beyond the last one there is nothing to interpolate."""
    counts = [0] * (len(DURATION_BOUNDS_MS) + 1)
    assert percentile_ms(tuple(counts), percent=50) is None
    counts[2], counts[-1] = 9, 1
    assert percentile_ms(tuple(counts), percent=10) == 32 + 32 // 9
    assert percentile_ms(tuple(counts), percent=90) == 64
    assert percentile_ms(tuple(counts), percent=99) == DURATION_BOUNDS_MS[-1]
