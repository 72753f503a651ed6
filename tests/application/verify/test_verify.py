"""`ledger verify` on the log alone: silent on lawful histories, and not on any of the seeded faults."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import pytest

from application.eventlog import LogUnavailable, NewEvent, RecordedEvent
from application.verify import Report, render_text, verify
from application.verify.report import INVARIANTS, VIOLATIONS_KEPT_MAX
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.event import Event, encode
from domain.ids import stream_of
from domain.ledger.events import (
    CreditLotGranted,
    LeaseFenced,
    LeaseGranted,
    LeaseOpened,
    LeaseRecallRequested,
    LeaseReduced,
    LeaseSettled,
    LeaseToppedUp,
    Owner,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    Units,
    UsageCharged,
)
from domain.ledger.lots import Slice
from domain.pricing import NO_MARKUP_PPM, Price, Window
from domain.topics import REGISTRY
from tests.histories import ListLog, history

ACCOUNT, LEASE, LOT, KEY, OTHER = (UUID(int=number) for number in range(1, 6))
FIRST, SECOND, THIRD = (UUID(int=number) for number in range(11, 14))
WALLET = stream_of(ACCOUNT, "wallet")
OWNER = Owner(UUID(int=20), 1)

Line = tuple[UUID, Event]
Story = list[Line]


def _check(events: Sequence[NewEvent]) -> Report:
    return verify(ListLog(events), REGISTRY)


def _grant(amount_nano: int = 1_000, lot_id: UUID = LOT) -> CreditLotGranted:
    return CreditLotGranted(
        account_id=ACCOUNT,
        lot_id=lot_id,
        amount_nano=amount_nano,
        source="paid",
        reason="test",
        granted_by="system",
        occurred_us=1,
    )


def _admit(request_id: UUID, hold_nano: int) -> RequestAdmitted:
    return RequestAdmitted(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        stream=False,
        hold_nano=hold_nano,
        price_version=1,
        occurred_us=2,
    )


def _charge(request_id: UUID, hold_nano: int, charge_nano: int) -> UsageCharged:
    return UsageCharged(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        hold_nano=hold_nano,
        charge_nano=charge_nano,
        shortfall_nano=5,
        price_version=1,
        units=Units(input=1, output=2),
        usage_source="provider",
        result="completed",
        provider="sandbox",
        deployment_id=OTHER,
        attempts=(),
        first_byte_ms=1,
        total_ms=2,
        occurred_us=3,
    )


def _release(request_id: UUID, hold_nano: int) -> RequestReleased:
    return RequestReleased(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        alias="demo",
        hold_nano=hold_nano,
        code="timeout",
        attempts=(),
        total_ms=1,
        occurred_us=3,
    )


def _prices() -> PriceListPublished:
    """What `_charge` used costs 95; a flex hour would be a quarter of it."""
    price = Price(
        input_nano_per_million=31_000_000,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=32_000_000,
        request_nano_per_million=0,
        windows=(Window(weekdays=(0,), from_minute=0, to_minute=1, factor_ppm=500_000),),
        service_tiers={"flex": 500_000},
    )
    return PriceListPublished(
        entries={"demo": price},
        markup_ppm=NO_MARKUP_PPM,
        effective_from_us=0,
        approved_by="test",
        note="",
        occurred_us=0,
        actor="test",
    )


def _story() -> Story:
    """A lease that is lent 600 of 1,000, reduced to 500, has three requests, charges 90, and is fenced."""
    granted = LeaseGranted(
        account_id=ACCOUNT,
        lease_id=LEASE,
        owner=OWNER,
        mode="bulk",
        slices=(Slice(LOT, 600),),
        amount_nano=600,
        occurred_us=1,
    )
    reduced = LeaseReduced(
        account_id=ACCOUNT, lease_id=LEASE, slices=(Slice(LOT, 100),), amount_nano=100, occurred_us=1
    )
    opened = LeaseOpened(account_id=ACCOUNT, owner=OWNER, amount_nano=600, valid_ms=1, occurred_us=1)
    back = REGISTRY.decode("lease.gave-back.v1", b'{"amount_nano":100}')
    lease: list[Event] = [
        _admit(FIRST, 90),
        _admit(SECOND, 200),
        _charge(FIRST, 90, 90),
        _admit(THIRD, 50),
        _release(SECOND, 200),
        RequestAbandoned(request_id=THIRD, account_id=ACCOUNT, hold_nano=50, occurred_us=4),
        LeaseFenced(by=OWNER, reason="dead", charged_nano=90, charges=1, occurred_us=4),
    ]
    settled = LeaseSettled(
        account_id=ACCOUNT,
        lease_id=LEASE,
        occurred_us=5,
        outcome="fenced",
        charged_nano=90,
        charges=1,
        last_version=9,
        slices=(Slice(LOT, 410),),
        returned_nano=410,
    )
    return [
        (PRICE_LIST_STREAM, _prices()),
        (WALLET, _grant()),
        (WALLET, granted),
        (LEASE, opened),
        (LEASE, back),
        (WALLET, reduced),
        *((LEASE, event) for event in lease),
        (WALLET, settled),
    ]


def _stored(story: Story) -> list[NewEvent]:
    """With versions as they come in each stream."""
    versions: dict[UUID, int] = {}
    events = []
    for stream_id, event in story:
        versions[stream_id] = versions.get(stream_id, 0) + 1
        events.append(NewEvent(stream_id, versions[stream_id], event.TOPIC, encode(event)))
    return events


def _at(story: Story, kind: type[Event], nth: int = 0) -> int:
    return [index for index, (_, event) in enumerate(story) if type(event) is kind][nth]


def edit(kind: type[Event], nth: int = 0, **changes: object) -> Callable[[Story], None]:
    def fault(story: Story) -> None:
        index = _at(story, kind, nth)
        stream_id, event = story[index]
        story[index] = (stream_id, msgspec.structs.replace(event, **changes))

    return fault


def drop(kind: type[Event], nth: int = 0) -> Callable[[Story], None]:
    return lambda story: story.__delitem__(_at(story, kind, nth))


def repeat(kind: type[Event], nth: int = 0) -> Callable[[Story], None]:
    return lambda story: story.insert(_at(story, kind, nth) + 1, story[_at(story, kind, nth)])


def insert(before: type[Event], *lines: Line) -> Callable[[Story], None]:
    def fault(story: Story) -> None:
        index = _at(story, before)
        story[index:index] = lines

    return fault


def append(*lines: Line) -> Callable[[Story], None]:
    return lambda story: story.extend(lines)


def move(kind: type[Event], stream_id: UUID) -> Callable[[Story], None]:
    def fault(story: Story) -> None:
        index = _at(story, kind)
        story[index] = (stream_id, story[index][1])

    return fault


FAULTS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "slices do not add up": ("P01", edit(LeaseGranted, slices=(Slice(LOT, 599),))),
    "more lent than granted": ("P02", edit(CreditLotGranted, amount_nano=550)),
    "credit of a lot that was never granted": ("P02", edit(LeaseGranted, slices=(Slice(OTHER, 600),))),
    "a hold above what the lease has": ("P03", edit(RequestAdmitted, 1, hold_nano=450)),
    "a charge above everything granted": ("P04", edit(UsageCharged, charge_nano=1_001, hold_nano=1_001)),
    "the same lot granted twice": ("P04", repeat(CreditLotGranted)),
    "a settlement that returns too much": ("P05", edit(LeaseSettled, returned_nano=411)),
    "a settlement with another charge": ("P05", edit(LeaseSettled, charged_nano=91, returned_nano=409)),
    "a settlement of another outcome": ("P05", edit(LeaseSettled, outcome="closed")),
    "a settlement that names another end": ("P05", edit(LeaseSettled, last_version=8)),
    "a settlement with another count": ("P05", edit(LeaseSettled, charges=2)),
    "a lease settled twice": ("P05", repeat(LeaseSettled)),
    "a lease settled but not ended": ("P05", drop(LeaseFenced)),
    "a lease ended but not settled": ("P05", drop(LeaseSettled)),
    "a lease granted twice": ("P05", repeat(LeaseGranted)),
    "a lease that ends with other sums": ("P05", edit(LeaseFenced, charged_nano=80)),
    "a charge after the fence": ("P06", append((LEASE, _admit(OTHER, 1)))),
    "a charge between the two sides of the end": ("P06", insert(LeaseSettled, (LEASE, _admit(OTHER, 1)))),
    "a lease opened twice": ("P06", repeat(LeaseOpened)),
    "a lease used before it is opened": ("P06", drop(LeaseOpened)),
    "a request admitted twice in a lease": ("P07", repeat(RequestAdmitted)),
    "a request admitted again after its end": ("P07", insert(RequestAbandoned, (LEASE, _admit(FIRST, 1)))),
    "a charge that is not what its units cost": ("P12", edit(UsageCharged, units=Units(input=1, output=1))),
    "a charge below what its hold covers": ("P12", edit(UsageCharged, charge_nano=89, shortfall_nano=6)),
    "a shortfall that its units do not make": ("P12", edit(UsageCharged, shortfall_nano=0)),
    "a charge by a list that was never published": ("P12", edit(UsageCharged, price_version=2)),
    "a charge for an alias without a price": ("P12", edit(UsageCharged, alias="other")),
    "a charge by a factor of no hour and tier": (
        "P12",
        edit(UsageCharged, charge_nano=71, shortfall_nano=0, factor_ppm=750_000),
    ),
    "a charge at another markup": ("P12", edit(PriceListPublished, markup_ppm=1_100_000)),
    "prices in another stream": ("L03", move(PriceListPublished, OTHER)),
    "a charge without an admission": ("P28", drop(RequestAdmitted)),
    "a charge stored twice": ("P28", repeat(UsageCharged)),
    "a release of another hold": ("P28", edit(RequestReleased, hold_nano=199)),
    "an open hold forgotten at the fence": ("P28", drop(RequestAbandoned)),
    "a lease with more than was lent": ("L01", edit(LeaseOpened, amount_nano=601)),
    "a lease of another owner": ("L01", edit(LeaseOpened, owner=Owner(OTHER, 1))),
    "a top-up that the wallet does not know": (
        "L01",
        insert(RequestAdmitted, (LEASE, LeaseToppedUp(amount_nano=101))),
    ),
    "a lease that the wallet does not know": ("L01", drop(LeaseGranted)),
    "a reduction that the lease did not give back": (
        "L01",
        edit(LeaseReduced, amount_nano=101, slices=(Slice(LOT, 101),)),
    ),
    "a wallet's event in another wallet": ("L03", move(LeaseReduced, OTHER)),
    "a charge to another account": ("L03", edit(UsageCharged, account_id=OTHER)),
    "a request of another account": ("L03", edit(RequestAdmitted, account_id=OTHER)),
    "a charge above its hold": ("L04", edit(UsageCharged, charge_nano=101)),
    "a negative charge": ("L04", edit(UsageCharged, charge_nano=-1)),
    "a negative shortfall": ("L04", edit(UsageCharged, shortfall_nano=-1)),
    "a negative hold": ("L04", edit(RequestAdmitted, hold_nano=-1)),
    "a grant of nothing": ("L04", edit(CreditLotGranted, amount_nano=0)),
    "a negative slice": ("L04", edit(LeaseGranted, slices=(Slice(LOT, 700), Slice(LOT, -100)))),
}


def test_the_story_without_a_fault_is_clean() -> None:
    """What the faults below are put into is lawful."""
    report = _check(_stored(_story()))
    assert report.ok, render_text(report)
    figures = report.figures
    assert (figures.events, figures.streams, figures.accounts, figures.leases_open) == (14, 3, 1, 0)
    assert (figures.requests, figures.requests_open) == (3, 0)
    assert (figures.granted_nano, figures.charged_nano, figures.shortfall_nano) == (1_000, 90, 5)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(name: str) -> None:
    """A mutation check of the verifier: each fault is found under the invariant that it breaks."""
    code, fault = FAULTS[name]
    story = _story()
    fault(story)
    report = _check(_stored(story))
    assert not report.ok
    assert code in report.counts, render_text(report)


@pytest.mark.parametrize("seed", range(12))
def test_lawful_histories_are_clean(seed: int) -> None:
    """No false alarm over hundreds of random steps, with leases and requests open at the end."""
    events = history(seed, steps=500, accounts=4)
    report = _check(events)
    assert report.ok, render_text(report)
    assert report.figures.events == len(events)
    assert report.figures.requests > 30


def test_every_prefix_of_a_lawful_history_is_clean_but_for_what_was_stored_at_once() -> None:
    """P02 holds at every prefix; only a cut through an atomic append may leave one side of a lease's end."""
    events = history(3, steps=120)
    for end in range(0, len(events), 7):
        report = _check(events[:end])
        assert set(report.counts) <= {"P05"}, render_text(report)
        assert all("never" in violation.detail for violation in report.violations)


def test_versions_with_a_gap_are_found() -> None:
    """P08: an event that was taken out, whatever it was."""
    events = history(5, steps=100)
    for index in range(0, len(events) - 1, 9):
        stream = [event for event in events if event.stream_id == events[index].stream_id]
        if events[index] is not stream[-1]:
            report = _check([event for event in events if event is not events[index]])
            assert "P08" in report.counts


def test_positions_that_go_back_are_found() -> None:
    """P08: two events at one position."""
    log = ListLog(_stored(_story()))
    log.events[4] = msgspec.structs.replace(log.events[4], position=log.events[3].position)
    report = verify(log, REGISTRY)
    assert "P08" in report.counts


def test_what_cannot_be_read_is_said_and_passed() -> None:
    """L02: an unknown topic and damaged bytes; the rest is still looked at."""
    log = ListLog(_stored(_story()))
    log.events[5] = msgspec.structs.replace(log.events[5], topic="lease.unheard-of.v1")
    log.events[7] = msgspec.structs.replace(log.events[7], state=b'{"request_id":')
    report = verify(log, REGISTRY)
    assert report.counts["L02"] == 2
    assert report.figures.events == 14


def test_what_comes_after_the_start_is_not_looked_at() -> None:
    """Others go on writing; the report is about a fixed position."""

    class Growing(ListLog):
        def head_position(self) -> int:
            head = super().head_position()
            self.extend([NewEvent(OTHER, 9, "lease.unheard-of.v1", b"{}")])
            return head

    log = Growing(_stored(_story()))
    report = verify(log, REGISTRY)
    assert report.ok
    assert (report.figures.events, report.figures.position) == (14, 40)


def test_a_log_that_ends_too_early_is_no_clean_log() -> None:
    """Whoever reads less than there is must not say that all is well."""

    class Cut(ListLog):
        def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
            return super().read_log(after_position=after_position, limit=limit)[:-1]

    with pytest.raises(LogUnavailable):
        verify(Cut(_stored(_story())), REGISTRY)


def test_a_recall_moves_nothing() -> None:
    """It is a question; the answer, if any, is an event of its own."""
    story = _story()
    recall = LeaseRecallRequested(account_id=ACCOUNT, by=OWNER, wanted_nano=10, occurred_us=2)
    insert(RequestAdmitted, (WALLET, recall))(story)
    report = _check(_stored(story))
    assert report.ok, render_text(report)


def test_an_empty_log_is_clean() -> None:
    """Nothing was granted, nothing is missing."""
    report = _check([])
    assert report.ok
    assert report.figures.events == 0


def test_the_trial_balance_depends_on_movements_only() -> None:
    """Equal ledgers have equal digests, whatever else was in the log; another charge makes another one."""
    story = _story()
    digest = _check(_stored(story)).figures.trial_balance_sha256
    edit(RequestReleased, code="other")(story)
    assert _check(_stored(story)).figures.trial_balance_sha256 == digest
    edit(UsageCharged, shortfall_nano=6)(story)
    assert _check(_stored(story)).figures.trial_balance_sha256 != digest


def test_a_report_reads_well() -> None:
    """It says what was looked at, what was found where, and how it ends."""
    clean = render_text(_check(_stored(_story())))
    assert clean.startswith("14 events up to position 40 in 3 streams\n")
    assert clean.endswith("the ledger is clean\n")
    story = _story()
    edit(UsageCharged, charge_nano=101)(story)
    text = render_text(_check(_stored(story)))
    assert f"L04 at 25: {LEASE}: charge 101, hold 90\n" in text
    assert text.endswith("THE LEDGER IS NOT CLEAN\n")


def test_a_report_of_a_ruined_log_stays_short() -> None:
    """All violations are counted, the first ones are shown."""
    report = _check([event for event in history(1, steps=800) if not event.topic.startswith("wallet.")])
    assert sum(report.counts.values()) > VIOLATIONS_KEPT_MAX
    assert len(report.violations) == VIOLATIONS_KEPT_MAX
    assert f"... and {sum(report.counts.values()) - VIOLATIONS_KEPT_MAX} more\n" in render_text(report)
    assert set(report.counts) <= set(INVARIANTS)
