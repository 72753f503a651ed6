"""The log of a gateway that was at work for a while, by the real deciders: the same number of requests makes the same log.

Accounts with several lots, leases of two gateways that are topped up, give back, are closed and settled, a price list that
changes, requests that are charged and released, and a gateway that dies now and then with its requests open.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from uuid import UUID

from application.eventlog import NewEvent
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.event import Event, encode
from domain.ids import stream_of
from domain.ledger import credit, leasing, lending
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import Attempt, LeaseEvent, Owner, Units, WalletEvent
from domain.ledger.lease import Answer, Lease
from domain.ledger.wallet import Wallet
from domain.pricing import Price, charge_nano

CREDIT = 10**9
ACCOUNTS = 40
LOTS_NANO = (20 * CREDIT, 40 * CREDIT, 10_000_000 * CREDIT)  #: of each account, in the order of spending
ALIASES = ("acme/large", "acme/small", "other/medium")
OPEN_MAX = 32  #: requests under way on a lease
CHARGES_MAX = 5_000  #: in one lease
CRASH_EVERY = 100_000  #: requests, until the second gateway dies again
START_US = 1_793_491_200_000_000
PACE_US = 4_000_000  #: from one request to the next
HOLD_NANO = CREDIT // 50


class Borrower:
    """A lease of one account at one gateway, renewed for ever."""

    def __init__(self, account_id: UUID, owner: Owner) -> None:
        self.account_id = account_id
        self.owner = owner
        self.lease = Lease(UUID(int=0))
        self.open: deque[tuple[UUID, str]] = deque()


class Load:
    """Makes the log, a group of events for each thing that happens.

    Given accounts with their keys, a few of them ask for most: the n-th of N begins about 1/cbrt(n/N) as many requests as the last.
    """

    def __init__(
        self, keys: Mapping[UUID, Sequence[UUID]] | None = None, *, open_max: int = OPEN_MAX
    ) -> None:
        self._random = Random(1)
        self._now_us = START_US
        self._open_max = open_max
        self._power = 3 if keys else 1
        self._keys = keys or {self._id(): (self._id(),) for _ in range(ACCOUNTS)}
        self._wallets = {account_id: Wallet() for account_id in self._keys}
        self._deployment_id = self._id()
        self._prices: list[PriceListPublished] = []
        self.requests = 0  #: begun so far

    def groups(self, requests: int) -> Iterator[list[NewEvent]]:
        """The whole log; some requests are open at its end."""
        yield self._publish()
        for account_id in self._wallets:
            for amount_nano in LOTS_NANO:
                yield self._grant(account_id, amount_nano)
        gateways = [Owner(self._id(), 1), Owner(self._id(), 1)]
        borrowers = [Borrower(account_id, owner) for owner in gateways for account_id in self._wallets]
        for borrower in borrowers:
            yield self._open(borrower)
        for number in range(1, requests + 1):
            self.requests = number
            self._now_us += PACE_US
            if number % (requests // 3) == 0:
                yield self._publish()
            if number % CRASH_EVERY == 0:
                for borrower in borrowers[len(self._wallets) :]:
                    yield self._die(borrower)
                    yield self._open(borrower)
            gateway = self._random.randrange(2) * len(self._wallets)
            yield from self._request(borrowers[gateway + self._account()])

    def _account(self) -> int:
        return int(len(self._wallets) * self._random.random() ** self._power)

    def _request(self, borrower: Borrower) -> Iterator[list[NewEvent]]:
        """One more begins, and one that is under way may end."""
        if borrower.lease.charges >= CHARGES_MAX:
            while borrower.open:
                yield self._end(borrower)
            yield self._close(borrower)
            yield self._open(borrower)
        if borrower.lease.free_nano < HOLD_NANO:
            yield self._resize(borrower)
        yield self._admit(borrower)
        if len(borrower.open) >= self._open_max:
            yield self._end(borrower)

    def _publish(self) -> list[NewEvent]:
        """Each list is dearer than the one before."""
        version = len(self._prices) + 1
        price = Price(
            input_nano_per_million=version * 2_000_000_000,
            cached_input_nano_per_million=version * 200_000_000,
            cache_write_nano_per_million=version * 2_500_000_000,
            output_nano_per_million=version * 7_999_999_999,
            request_nano_per_million=0,
        )
        published = PriceListPublished(
            entries=dict.fromkeys(ALIASES, price),
            markup_ppm=1_050_000,
            effective_from_us=self._now_us,
            approved_by="system",
            note="",
            occurred_us=self._now_us,
            actor="system",
        )
        self._prices.append(published)
        return [_stored(PRICE_LIST_STREAM, version, published)]

    def _grant(self, account_id: UUID, amount_nano: int) -> list[NewEvent]:
        granted = credit.grant_credit(
            self._wallets[account_id],
            account_id=account_id,
            lot_id=self._id(),
            amount_nano=amount_nano,
            source="paid",
            reason="benchmark",
            granted_by="system",
            now_us=self._now_us,
        )
        return self._on_wallet(account_id, granted)

    def _open(self, borrower: Borrower) -> list[NewEvent]:
        borrower.lease = Lease(self._id())
        terms = {"account_id": borrower.account_id, "owner": borrower.owner, "now_us": self._now_us}
        wallet = self._wallets[borrower.account_id]
        (granted,) = lending.grant_lease(
            wallet,
            lease_id=borrower.lease.lease_id,
            mode="bulk",
            amount_nano=CREDIT,
            **terms,  # type: ignore[arg-type]  # by name
        )
        events = self._on_wallet(borrower.account_id, [granted])
        opened = leasing.open_lease(
            borrower.lease,
            amount_nano=granted.amount_nano,
            valid_ms=10_000,
            slices=wallet.lent(granted.slices),
            **terms,  # type: ignore[arg-type]  # by name
        )
        return events + self._on_lease(borrower.lease, opened)

    def _resize(self, borrower: Borrower) -> list[NewEvent]:
        """More is lent; what turns out to be too much is given back at once."""
        terms = {
            "account_id": borrower.account_id,
            "lease_id": borrower.lease.lease_id,
            "now_us": self._now_us,
        }
        wallet, lease, back_nano = self._wallets[borrower.account_id], borrower.lease, CREDIT // 10
        (extended,) = lending.extend_lease(wallet, amount_nano=CREDIT + back_nano, **terms)  # type: ignore[arg-type]  # by name
        events = self._on_wallet(borrower.account_id, [extended])
        lent = wallet.lent(extended.slices)
        events += self._on_lease(lease, leasing.top_up(lease, amount_nano=extended.amount_nano, slices=lent))
        (back,) = leasing.give_back(lease, amount_nano=back_nano)
        events += self._on_lease(lease, [back])
        reduced = lending.reduce_lease(wallet, amount_nano=back_nano, slices=back.slices or None, **terms)  # type: ignore[arg-type]  # by name
        return events + self._on_wallet(borrower.account_id, reduced)

    def _admit(self, borrower: Borrower) -> list[NewEvent]:
        request_id, alias = self._id(), self._random.choice(ALIASES)
        borrower.open.append((request_id, alias))
        admitted = lease_rules.admit(
            borrower.lease,
            request_id=request_id,
            key_id=self._key_of(borrower, request_id),
            alias=alias,
            stream=True,
            hold_nano=HOLD_NANO,
            price_version=len(self._prices),
            client_ref=None,
            now_us=self._now_us,
        )
        return self._on_lease(borrower.lease, admitted)

    def _end(self, borrower: Borrower) -> list[NewEvent]:
        request_id, alias = borrower.open.popleft()
        key_id, attempt = self._key_of(borrower, request_id), self._attempt()
        if self._random.random() < 0.04:
            released = lease_rules.release(
                borrower.lease,
                request_id=request_id,
                key_id=key_id,
                alias=alias,
                code="upstream_unavailable",
                attempts=(attempt,),
                total_ms=900,
                now_us=self._now_us,
            )
            return self._on_lease(borrower.lease, released)
        units = Units(
            input=self._random.randrange(2_000), cached_input=100, output=self._random.randrange(500)
        )
        prices = self._prices[-1]
        answer = Answer(
            key_id=key_id,
            alias=alias,
            price_version=len(self._prices),
            units=units,
            usage_source="provider",
            usage_raw='{"prompt_tokens":912,"completion_tokens":344,"total_tokens":1256}',
            result="completed",
            provider=attempt.provider,
            deployment_id=attempt.deployment_id,
            attempts=(attempt,),
            first_byte_ms=120,
            total_ms=1_000,
        )
        rated_nano = charge_nano(units, prices.entries[alias], prices.markup_ppm)
        charged = lease_rules.charge(
            borrower.lease, request_id=request_id, rated_nano=rated_nano, answer=answer, now_us=self._now_us
        )
        return self._on_lease(borrower.lease, charged)

    def _key_of(self, borrower: Borrower, request_id: UUID) -> UUID:
        keys = self._keys[borrower.account_id]
        return keys[request_id.int % len(keys)]

    def _close(self, borrower: Borrower) -> list[NewEvent]:
        return self._settle(borrower, "closed", leasing.close(borrower.lease, now_us=self._now_us))

    def _die(self, borrower: Borrower) -> list[NewEvent]:
        """The reaper ends the lease of a process that is gone; what was under way is abandoned."""
        borrower.open.clear()
        reaper = Owner(self._id(), 1)
        ending = leasing.fence(borrower.lease, by=reaper, reason="owner is dead", now_us=self._now_us)
        return self._settle(borrower, "fenced", ending)

    def _settle(self, borrower: Borrower, outcome: str, ending: Sequence[LeaseEvent]) -> list[NewEvent]:
        lease = borrower.lease
        events = self._on_lease(lease, ending)
        settled = lending.settle_lease(
            self._wallets[borrower.account_id],
            account_id=borrower.account_id,
            lease_id=lease.lease_id,
            outcome=outcome,  # type: ignore[arg-type]  # one of the two
            charged_nano=lease.charged_nano,
            charges=lease.charges,
            last_version=lease.version,
            now_us=self._now_us,
            spent=lease.spent(),
        )
        return events + self._on_wallet(borrower.account_id, settled)

    def _attempt(self) -> Attempt:
        return Attempt(
            deployment_id=self._deployment_id,
            provider="acme",
            model="large-2026",
            status=200,
            outcome="ok",
            started_us=self._now_us,
            duration_ms=950,
            upstream_request_id="req_0123456789abcdef",
        )

    def _on_wallet(self, account_id: UUID, events: Sequence[WalletEvent]) -> list[NewEvent]:
        wallet, stored = self._wallets[account_id], []
        for event in events:
            wallet_rules.evolve(wallet, event)
            stored.append(_stored(stream_of(account_id, "wallet"), wallet.version, event))
        return stored

    def _on_lease(self, lease: Lease, events: Sequence[LeaseEvent]) -> list[NewEvent]:
        stored = []
        for event in events:
            lease_rules.evolve(lease, event)
            stored.append(_stored(lease.lease_id, lease.version, event))
        return stored

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def _stored(stream_id: UUID, version: int, event: Event) -> NewEvent:
    return NewEvent(stream_id, version, event.TOPIC, encode(event))
