"""Random but lawful histories of the ledger, decided by the real rules. The same seed gives the same history."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec
from msgspec import UNSET

from application.eventlog import NewEvent, RecordedEvent
from domain.accounts import AccountSuspended
from domain.auto_recharge.auto import auto_stream
from domain.auto_recharge.events import MethodPageOpened
from domain.budgets.events import BudgetSet
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.event import Event, encode
from domain.fact import Fact
from domain.ids import stream_of
from domain.ledger import adjusting, claims, credit, leasing, lending
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.adjustments import AdjustmentApproved, AdjustmentKind, AdjustmentRequested
from domain.ledger.claims import Claimed
from domain.ledger.credit import LotConditions
from domain.ledger.events import (
    Attempt,
    ChargeHeldForReview,
    LeaseEvent,
    Owner,
    RequestAdmitted,
    Units,
    WalletEvent,
)
from domain.ledger.lease import Answer, Lease
from domain.ledger.refusals import LedgerRefusal
from domain.ledger.wallet import Wallet
from domain.postpaid.events import PostpaidLimitProposed
from domain.postpaid.postpaid import postpaid_stream
from domain.pricing import Price, charge_nano
from domain.promotions.events import CodeBatchIssued
from domain.recharge.events import RechargeCredited, RechargeOrderPlaced
from domain.recharge.request_events import RefundRequestFiled
from domain.refusal import WrongState
from domain.work import WorkAsked, work_stream

PRICE_VERSIONS = (1, 2, 3)
_SAMPLES = Path(__file__).parent / "golden" / "events"
FAR_US = 10**15  #: beyond the end of every history
START_US = 1_764_000_000_000_000
#: Texts that have broken loggers, CSV files and array literals before.
AWKWARD = (
    "plain",
    "gpt-4o/mini",
    'say "no"',
    "back\\slash",
    "{a,b}",
    "NULL",
    "tab\tand\nline",
    "nul\x00",
    "ü漢😀",
    "",
)


class Simulation:
    """Accounts, wallets, leases and requests; each step appends one group of events, or none if a rule refuses."""

    def __init__(self, random: Random, *, accounts: int = 3) -> None:
        self._random = random
        self._now_us = START_US
        self._accounts = [self._id() for _ in range(accounts)]
        self._wallets = {account_id: Wallet() for account_id in self._accounts}
        self._leases: dict[UUID, Lease] = {}
        self._admitted: dict[UUID, RequestAdmitted] = {}

    def groups(self, steps: int) -> Iterator[list[NewEvent]]:
        """What is appended at once, step by step."""
        yield numbered(PRICE_LIST_STREAM, 1, [_prices(version) for version in PRICE_VERSIONS])
        for account_id in self._accounts:
            yield self._grant(account_id)
        for _ in range(steps):
            self._now_us += self._random.randrange(1, 1_000_000)
            try:
                group = self._step()
            except LedgerRefusal:
                continue
            if group:
                yield group

    def _step(self) -> list[NewEvent]:
        """One of the things that happen, each with its weight."""
        if not self._leases:
            return self._lend(self._account())
        lease = self._random.choice(list(self._leases.values()))
        choices: list[tuple[int, Callable[[], list[NewEvent]]]] = [
            (3, lambda: self._grant(self._account())),
            (2, lambda: self._adjust(self._account())),
            (2, lambda: self._pay_back(self._account())),
            (1, lambda: self._suspend(self._account())),
            (8, lambda: self._lend(self._account())),
            (33, lambda: self._admit(lease)),
            (35, lambda: self._end_request(lease)),
            (6, lambda: self._resize(lease)),
            (6, lambda: self._end_lease(lease, fenced=True)),
            (8, lambda: self._end_lease(lease, fenced=False)),
        ]
        weights = [weight for weight, _ in choices]
        ((_, happen),) = self._random.choices(choices, weights)
        return happen()

    def _grant(self, account_id: UUID) -> list[NewEvent]:
        amount_nano = self._random.randrange(1, 10**12)
        ends_us = self._now_us + FAR_US if amount_nano % 2 else None
        return self._on_wallet(
            account_id,
            credit.grant_credit(
                self._wallets[account_id],
                account_id=account_id,
                lot_id=self._id(),
                amount_nano=amount_nano,
                source=self._random.choice(("paid", "promo")),
                reason=self._text(),
                granted_by="system",
                now_us=self._now_us,
                conditions=LotConditions(expires_us=ends_us),
            ),
        )

    def _adjust(self, account_id: UUID) -> list[NewEvent]:
        """Goodwill, credit that is taken, or a lot that is taken back; some of it agreed to by a second operator."""
        wallet = self._wallets[account_id]
        kind: AdjustmentKind = self._random.choice(
            ("credit", "debit", "void", *(("write_off",) if wallet.owed_nano else ()))
        )
        lot_id = self._random.choice(list(wallet.lots))
        waits = kind == "write_off" or self._random.random() < 0.5
        asked = AdjustmentRequested(
            adjustment_id=self._id(),
            account_id=account_id,
            kind=kind,
            amount_nano=self._random.randrange(1, 10**11),
            reason=self._text(),
            waits=waits,
            lot_id=lot_id if kind == "void" else UNSET,
            occurred_us=self._now_us,
            actor="operator:1",
        )
        by = "operator:2" if waits else None
        facts: list[Event] = [asked]
        if by:
            facts.append(
                AdjustmentApproved(adjustment_id=asked.adjustment_id, occurred_us=self._now_us, actor=by)
            )
        try:
            posted = adjusting.post(wallet, asked, approved_by=by, now_us=self._now_us)
        except WrongState:
            return []
        stream_id = stream_of(asked.adjustment_id, "adjustment")
        return [*numbered(stream_id, 1, facts), *self._on_wallet(account_id, posted)]

    def _pay_back(self, account_id: UUID) -> list[NewEvent]:
        """Credit is set aside for a refund or a dispute, an open one ends, or a provider pays back without asking."""
        wallet, draw, now_us = self._wallets[account_id], self._random, self._now_us
        if wallet.claims and draw.random() < 0.5:
            claim_id = draw.choice(list(wallet.claims))
            ended = wallet.claims[claim_id]
            on = Claimed(account_id=account_id, lot_id=ended.lot_id, claim_id=claim_id)
            if draw.random() < 0.4:
                return self._on_wallet(account_id, claims.release(wallet, on, now_us=now_us))
            taken = claims.take(wallet, on, amount_nano=ended.wanted_nano, now_us=now_us)
            group = self._on_wallet(account_id, taken)
            if ended.cause == "refund" and draw.random() < 0.3:
                back = claims.restore(wallet, on, amount_nano=ended.wanted_nano, now_us=now_us)
                group += self._on_wallet(account_id, back)
            return group
        on = Claimed(account_id=account_id, lot_id=draw.choice(list(wallet.lots)), claim_id=self._id())
        amount_nano = draw.randrange(1, 10**10)
        if wallet.is_over(on.lot_id, now_us):
            return []
        if draw.random() < 0.5:
            return self._on_wallet(
                account_id, claims.reserve(wallet, on, amount_nano=amount_nano, now_us=now_us)
            )
        if draw.random() < 0.7:
            return self._on_wallet(
                account_id, claims.freeze(wallet, on, wanted_nano=amount_nano, now_us=now_us)
            )
        return self._on_wallet(account_id, claims.take(wallet, on, amount_nano=amount_nano, now_us=now_us))

    def _suspend(self, account_id: UUID) -> list[NewEvent]:
        """A fact of another context, in a stream of its own."""
        event = AccountSuspended(
            account_id=account_id, reason="test", occurred_us=self._now_us, actor="system"
        )
        return [NewEvent(self._id(), 1, event.TOPIC, encode(event))]

    def _lend(self, account_id: UUID) -> list[NewEvent]:
        lease = Lease(self._id())
        wallet = self._wallets[account_id]
        owner = Owner(self._id(), 1)
        amount_nano = self._random.randrange(1, 2 + wallet.available_nano // 2)
        granted = lending.grant_lease(
            wallet,
            account_id=account_id,
            lease_id=lease.lease_id,
            owner=owner,
            mode="bulk",
            amount_nano=amount_nano,
            now_us=self._now_us,
        )
        opened = leasing.open_lease(
            lease,
            account_id=account_id,
            owner=owner,
            amount_nano=amount_nano,
            valid_ms=10_000,
            now_us=self._now_us,
        )
        self._leases[lease.lease_id] = lease
        return [*self._on_wallet(account_id, granted), *self._on_lease(lease, opened)]

    def _admit(self, lease: Lease) -> list[NewEvent]:
        admitted = lease_rules.admit(
            lease,
            request_id=self._id(),
            key_id=self._id(),
            alias=self._text(),
            stream=self._random.random() < 0.5,
            hold_nano=self._random.randrange(2 + lease.free_nano // 4),
            price_version=self._random.choice(PRICE_VERSIONS),
            client_ref=self._text() if self._random.random() < 0.3 else None,
            now_us=self._now_us,
        )
        for event in admitted:
            assert isinstance(event, RequestAdmitted)
            self._admitted[event.request_id] = event
        return self._on_lease(lease, admitted)

    def _end_request(self, lease: Lease) -> list[NewEvent]:
        if not lease.holds:
            return []
        request_id = self._random.choice(list(lease.holds))
        admitted = self._admitted[request_id]
        if self._random.random() < 0.2:
            ended = lease_rules.release(
                lease,
                request_id=request_id,
                key_id=admitted.key_id,
                alias=admitted.alias,
                code=self._text(),
                attempts=self._attempts(),
                total_ms=self._random.randrange(60_000),
                now_us=self._now_us,
            )
        else:
            answer = self._answer(admitted)
            published = _prices(answer.price_version)
            ended = lease_rules.charge(
                lease,
                request_id=request_id,
                rated_nano=charge_nano(answer.units, published.entries[answer.alias], published.markup_ppm),
                answer=answer,
                now_us=self._now_us,
            )
        return self._on_lease(lease, ended)

    def _resize(self, lease: Lease) -> list[NewEvent]:
        """The two sides of a change of size, in the order that never lets the lease have more than was lent."""
        account_id = lease.account_id
        assert account_id
        wallet = self._wallets[account_id]
        if self._random.random() < 0.5:
            amount_nano = self._random.randrange(1, 2 + wallet.available_nano // 4)
            extended = lending.extend_lease(
                wallet,
                account_id=account_id,
                lease_id=lease.lease_id,
                amount_nano=amount_nano,
                now_us=self._now_us,
            )
            topped_up = leasing.top_up(lease, amount_nano=amount_nano)
            return [*self._on_wallet(account_id, extended), *self._on_lease(lease, topped_up)]
        amount_nano = self._random.randrange(1, 2 + lease.free_nano)
        gave_back = leasing.give_back(lease, amount_nano=amount_nano)
        if self._random.random() < 0.2:
            return self._on_lease(lease, gave_back)  # the owner died between the two
        reduced = lending.reduce_lease(
            wallet,
            account_id=account_id,
            lease_id=lease.lease_id,
            amount_nano=amount_nano,
            now_us=self._now_us,
        )
        return [*self._on_lease(lease, gave_back), *self._on_wallet(account_id, reduced)]

    def _end_lease(self, lease: Lease, *, fenced: bool) -> list[NewEvent]:
        assert lease.account_id
        if fenced:
            reaper = Owner(self._id(), 1)
            ending = leasing.fence(lease, by=reaper, reason="owner is dead", now_us=self._now_us)
        else:
            ending = leasing.close(lease, now_us=self._now_us)
        settled = lending.settle_lease(
            self._wallets[lease.account_id],
            account_id=lease.account_id,
            lease_id=lease.lease_id,
            outcome="fenced" if fenced else "closed",
            charged_nano=lease.charged_nano,
            charges=lease.charges,
            last_version=lease.version + len(ending),
            now_us=self._now_us,
        )
        del self._leases[lease.lease_id]
        parts = [self._on_wallet(lease.account_id, settled), self._on_lease(lease, ending)]
        return [
            event for part in (parts if self._random.random() < 0.5 else reversed(parts)) for event in part
        ]

    def _answer(self, admitted: RequestAdmitted) -> Answer:
        random = self._random
        return Answer(
            key_id=admitted.key_id,
            alias=admitted.alias,
            price_version=admitted.price_version,
            units=Units(
                input=random.randrange(10**6),
                cached_input=random.randrange(100),
                output=random.randrange(10**5),
                reasoning=random.randrange(50),
            ),
            usage_source=random.choice(("provider", "estimated")),
            usage_flags=random.choice(((), ("clamped",), ("clamped", "late"))),
            result=random.choice(("completed", "client-left")),
            provider=self._text(),
            deployment_id=self._id(),
            attempts=self._attempts(),
            first_byte_ms=random.randrange(1_000),
            total_ms=random.randrange(60_000),
        )

    def _attempts(self) -> tuple[Attempt, ...]:
        return tuple(
            Attempt(
                deployment_id=self._id(),
                provider=self._text(),
                model=self._text(),
                status=self._random.choice((0, 200, 429, 503)),
                outcome="ok",
                started_us=self._now_us,
                duration_ms=self._random.randrange(60_000),
                upstream_request_id=self._text() if self._random.random() < 0.5 else None,
            )
            for _ in range(self._random.randrange(4))
        )

    def _on_wallet(self, account_id: UUID, events: Sequence[WalletEvent]) -> list[NewEvent]:
        wallet = self._wallets[account_id]
        first = wallet.version + 1
        for event in events:
            wallet_rules.evolve(wallet, event)
        return numbered(stream_of(account_id, "wallet"), first, events)

    def _on_lease(self, lease: Lease, events: Sequence[LeaseEvent]) -> list[NewEvent]:
        first = lease.version + 1
        for event in events:
            lease_rules.evolve(lease, event)
        return numbered(lease.lease_id, first, events)

    def _account(self) -> UUID:
        return self._random.choice(self._accounts)

    def _text(self) -> str:
        return self._random.choice(AWKWARD)

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def _prices(version: int) -> PriceListPublished:
    """Every alias, dearer with each version; some requests cost more than they hold."""
    price = Price(
        input_nano_per_million=version * 7_654_321_000,
        cached_input_nano_per_million=version * 765_432,
        cache_write_nano_per_million=0,
        output_nano_per_million=version * 76_543_210_000,
        request_nano_per_million=version,
    )
    return PriceListPublished(
        entries=dict.fromkeys(AWKWARD, price),
        markup_ppm=1_234_567,
        effective_from_us=START_US,
        approved_by="test",
        note="",
        occurred_us=START_US,
        actor="test",
    )


def numbered(stream_id: UUID, first_version: int, events: Sequence[Event]) -> list[NewEvent]:
    """Events with consecutive versions, ready to append."""
    return [
        NewEvent(stream_id, version, event.TOPIC, encode(event))
        for version, event in enumerate(events, start=first_version)
    ]


def history(seed: int, *, steps: int, accounts: int = 3) -> list[NewEvent]:
    """A history as one list, in the order of the log."""
    simulation = Simulation(Random(seed), accounts=accounts)
    return [event for group in simulation.groups(steps) for event in group]


def sample(kind: type[Event], **changes: object) -> Event:
    """The golden sample of an event, with some fields changed."""
    fact = msgspec.json.decode((_SAMPLES / f"{kind.TOPIC}.json").read_bytes(), type=kind)
    return msgspec.structs.replace(fact, **changes)


def orders(count: int) -> Iterator[NewEvent]:
    """As many orders of credit, their payments, and customers who want them back."""
    for number in range(1, count + 1):
        order_id, refund_id = UUID(int=number), UUID(int=number << 45)
        kinds: tuple[type[Fact], ...] = (RechargeOrderPlaced, RechargeCredited)
        facts = [sample(kind, order_id=order_id) for kind in kinds]
        facts.append(sample(RefundRequestFiled, order_id=order_id, refund_id=refund_id))
        yield from numbered(order_id, 1, facts)


def budgets(count: int) -> Iterator[NewEvent]:
    """As many budgets, as they are set."""
    for number in range(1, count + 1):
        budget_id = UUID(int=number << 32)
        yield from numbered(budget_id, 1, [sample(BudgetSet, budget_id=budget_id)])


def code_batches(count: int) -> Iterator[NewEvent]:
    """As many batches of redemption codes, as they are issued."""
    for number in range(1, count + 1):
        batch_id = UUID(int=number << 50)
        yield from numbered(batch_id, 1, [sample(CodeBatchIssued, batch_id=batch_id)])


def auto_recharges(count: int) -> Iterator[NewEvent]:
    """As many accounts whose customer opens a page to leave a way to pay."""
    for number in range(1, count + 1):
        account_id = UUID(int=number << 47)
        opened = sample(MethodPageOpened, account_id=account_id)
        yield from numbered(auto_stream(account_id), 1, [opened])


def limits(count: int) -> Iterator[NewEvent]:
    """As many accounts for which somebody has proposed to sell on account."""
    for number in range(1, count + 1):
        account_id = UUID(int=number << 46)
        proposed = sample(PostpaidLimitProposed, account_id=account_id)
        yield from numbered(postpaid_stream(account_id), 1, [proposed])


def works(count: int) -> Iterator[NewEvent]:
    """As much long work, as it is asked for."""
    for number in range(1, count + 1):
        work_id = UUID(int=number << 44)
        yield from numbered(work_stream(work_id), 1, [sample(WorkAsked, work_id=work_id)])


def held_charges(count: int) -> Iterator[NewEvent]:
    """As many charges that are held for review, each in a lease of its own, as no rule decided them."""
    for number in range(1, count + 1):
        request_id, lease_id = UUID(int=number << 48), UUID(int=number << 49)
        yield from numbered(lease_id, 1, [sample(ChargeHeldForReview, request_id=request_id)])


class ListLog:
    """A log to read from, in memory; positions rise with gaps. Takes anything, also what no rule would decide.

    The database's clock goes on by `pace_us` with each position.
    """

    def __init__(self, events: Sequence[NewEvent] = (), *, pace_us: int = 1) -> None:
        self.events: list[RecordedEvent] = []
        self._pace_us = pace_us
        self.extend(events)

    def extend(self, events: Sequence[NewEvent]) -> None:
        for event in events:
            position = 1 + len(self.events) * 3
            recorded = RecordedEvent(
                position,
                event.stream_id,
                event.version,
                event.topic,
                event.state,
                START_US + position * self._pace_us,
            )
            self.events.append(recorded)

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        start = (after_position + 2) // 3
        return self.events[start : start + limit]

    def head_position(self) -> int:
        return self.events[-1].position if self.events else 0
