"""`ledger verify` finds what breaks the rules of lots, and only that."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import pytest

from application.verify import Report, render_text, verify
from domain.event import Event
from domain.ids import stream_of
from domain.ledger import credit, leasing, lending
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.credit import LotConditions
from domain.ledger.events import (
    CreditLotExpired,
    LeaseGaveBack,
    LeaseGranted,
    LeaseOpened,
    LeaseReduced,
    LeaseSettled,
    Owner,
    RequestAdmitted,
)
from domain.ledger.lease import Lease
from domain.ledger.lots import LentSlice, Slice
from domain.ledger.wallet import Wallet
from domain.topics import REGISTRY
from tests.domain.ledger.facts import ANSWER
from tests.histories import ListLog, numbered

ACCOUNT, LEASE, KEY = UUID(int=1), UUID(int=2), UUID(int=3)
PLAIN, PROMO, SCOPED = UUID(int=21), UUID(int=22), UUID(int=23)
FIRST, SECOND = UUID(int=31), UUID(int=32)
WALLET = stream_of(ACCOUNT, "wallet")
AT, END = 1_000_000, 2_000_000
Story = list[tuple[UUID, Event]]


class Told:
    """A lawful story of one lease of three lots, one of which ends while a request is open."""

    def __init__(self) -> None:
        self.story: Story = []
        self.wallet = Wallet()
        self.lease = Lease(LEASE)
        self._tell()

    def _tell(self) -> None:
        self._grant(PLAIN, 1_000, LotConditions())
        self._grant(PROMO, 100, LotConditions(expires_us=END))
        self._grant(SCOPED, 50, LotConditions(priority=10, aliases=("small",)))
        (granted,) = lending.grant_lease(
            self.wallet,
            account_id=ACCOUNT,
            lease_id=LEASE,
            owner=Owner(KEY, 1),
            mode="bulk",
            amount_nano=300,
            now_us=AT,
            alias="big",
        )
        self._on_wallet([granted])
        self._open(granted.amount_nano, self.wallet.lent(granted.slices))
        self._admit(FIRST, 60, "big")
        self._admit(SECOND, 150, "big")
        self._on_lease(
            lease_rules.charge(self.lease, request_id=FIRST, rated_nano=10, answer=ANSWER, now_us=END)
        )
        self._shrink(100, now_us=END)
        self._on_lease(
            lease_rules.release(
                self.lease,
                request_id=SECOND,
                key_id=KEY,
                alias="big",
                code="x",
                attempts=(),
                total_ms=1,
                now_us=END,
            )
        )
        self._end(charged_nano=10, charges=1, now_us=END)

    def _open(self, amount_nano: int, slices: tuple[LentSlice, ...]) -> None:
        self._on_lease(
            leasing.open_lease(
                self.lease,
                account_id=ACCOUNT,
                owner=Owner(KEY, 1),
                amount_nano=amount_nano,
                valid_ms=1,
                now_us=AT,
                slices=slices,
            )
        )

    def _shrink(self, amount_nano: int, *, now_us: int) -> None:
        given = leasing.give_back(self.lease, amount_nano=amount_nano)
        self._on_lease(given)
        self._on_wallet(
            lending.reduce_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=LEASE,
                amount_nano=amount_nano,
                now_us=now_us,
                slices=given[0].slices or None,
            )
        )

    def _end(self, *, charged_nano: int = 0, charges: int = 0, now_us: int) -> None:
        ending = leasing.close(self.lease, now_us=now_us)
        self._on_wallet(
            lending.settle_lease(
                self.wallet,
                account_id=ACCOUNT,
                lease_id=LEASE,
                outcome="closed",
                charged_nano=charged_nano,
                charges=charges,
                last_version=self.lease.version + 1,
                now_us=now_us,
                spent=self.lease.spent(),
            )
        )
        self._on_lease(ending)

    def _grant(self, lot_id: UUID, amount_nano: int, conditions: LotConditions) -> None:
        self._on_wallet(
            credit.grant_credit(
                self.wallet,
                account_id=ACCOUNT,
                lot_id=lot_id,
                amount_nano=amount_nano,
                source="paid",
                reason="x",
                granted_by="x",
                now_us=AT,
                conditions=conditions,
            )
        )

    def _admit(self, request_id: UUID, hold_nano: int, alias: str) -> None:
        self._on_lease(
            lease_rules.admit(
                self.lease,
                request_id=request_id,
                key_id=KEY,
                alias=alias,
                stream=False,
                hold_nano=hold_nano,
                price_version=1,
                client_ref=None,
                now_us=AT,
            )
        )

    def _on_wallet(self, events: Sequence[Event]) -> None:
        for event in events:
            wallet_rules.evolve(self.wallet, event)  # type: ignore[arg-type]  # of a wallet
            self.story.append((WALLET, event))

    def _on_lease(self, events: Sequence[Event]) -> None:
        for event in events:
            lease_rules.evolve(self.lease, event)  # type: ignore[arg-type]  # of a lease
            self.story.append((LEASE, event))


def check(story: Story) -> Report:
    log = ListLog()
    versions: dict[UUID, int] = {}
    for stream_id, event in story:
        versions[stream_id] = versions.get(stream_id, 0) + 1
        log.extend(numbered(stream_id, versions[stream_id], [event]))
    return verify(log, REGISTRY)


def edit(kind: type[Event], at: int = 0, **changes: object) -> Callable[[Story], None]:
    def fault(story: Story) -> None:
        index = [number for number, (_, event) in enumerate(story) if isinstance(event, kind)][at]
        stream_id, event = story[index]
        story[index] = (stream_id, msgspec.structs.replace(event, **changes))

    return fault


def end(lot_id: UUID, amount_nano: int, at_us: int) -> Callable[[Story], None]:
    expired = CreditLotExpired(account_id=ACCOUNT, lot_id=lot_id, amount_nano=amount_nano, occurred_us=at_us)
    return lambda story: story.insert(3, (WALLET, expired))


def forget_terms(story: Story) -> None:
    index = next(number for number, (_, event) in enumerate(story) if isinstance(event, LeaseOpened))
    stream_id, event = story[index]
    assert isinstance(event, LeaseOpened)
    endless = tuple(
        msgspec.structs.replace(lent, terms=msgspec.structs.replace(lent.terms, expires_us=None))
        for lent in event.slices or ()
    )
    story[index] = (stream_id, msgspec.structs.replace(event, slices=endless))


FAULTS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "an expired lot is lent": ("P15", edit(LeaseGranted, occurred_us=END)),
    "an expired lot is held": ("P15", edit(RequestAdmitted, occurred_us=END)),
    "a lot is held for another model": ("P15", edit(RequestAdmitted, slices=(Slice(SCOPED, 60),))),
    "a later lot is held first": ("P14", edit(RequestAdmitted, slices=(Slice(PLAIN, 60),))),
    "a hold does not say of which lots": ("P01", edit(RequestAdmitted, slices=())),
    "a hold of lots that do not make it up": ("P01", edit(RequestAdmitted, slices=(Slice(PROMO, 59),))),
    "a hold of a lot that the lease does not have": ("P02", edit(RequestAdmitted, slices=(Slice(KEY, 60),))),
    "what comes back of an expired lot lives on": ("P15", edit(LeaseSettled, occurred_us=AT)),
    "what comes back of a lot that is not over is gone": (
        "P15",
        edit(LeaseReduced, occurred_us=AT - 1, slices=(), expired=(Slice(PLAIN, 100),)),
    ),
    "a lot that has no end expires": ("P15", end(PLAIN, 1_000, END)),
    "a lot expires before its end": ("P15", end(PROMO, 100, END - 1)),
    "a lease that has other terms than the wallet": ("L01", forget_terms),
    "a lease of lots that do not make it up": ("P01", edit(LeaseOpened, amount_nano=299)),
    "a return of lots that do not make it up": ("P01", edit(LeaseGaveBack, amount_nano=99)),
    "a return of what a lot does not have free": ("P03", edit(LeaseGaveBack, slices=(Slice(PROMO, 100),))),
}


def test_the_story_without_a_fault_is_clean() -> None:
    """Of rules about lots; these books have no price list."""
    report = check(Told().story)
    assert set(report.counts) <= {"P12"}, render_text(report)
    assert (report.figures.expired_nano, report.figures.taken_nano) == (90, 0)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(name: str) -> None:
    """Under the invariant that it breaks."""
    code, fault = FAULTS[name]
    story = Told().story
    fault(story)
    assert code in check(story).counts


def test_a_settlement_by_other_lots_is_found() -> None:
    """P05 holds for each lot, not only for the sum."""
    story = Told().story
    index = next(number for number, (_, event) in enumerate(story) if isinstance(event, LeaseSettled))
    settled = story[index][1]
    assert isinstance(settled, LeaseSettled)
    moved = msgspec.structs.replace(
        settled,
        slices=(*settled.slices, Slice(PROMO, 90)),
        returned_nano=settled.returned_nano + 90,
        expired=msgspec.UNSET,
    )
    other = msgspec.structs.replace(
        moved,
        slices=tuple(
            Slice(part.lot_id, part.amount_nano - 10 if part.lot_id == PLAIN else part.amount_nano + 10)
            for part in moved.slices
        ),
    )
    story[index] = (WALLET, other)
    assert "P05" in check(story).counts
