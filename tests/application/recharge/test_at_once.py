"""Many at once, on a real database: one credit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.eventstore.store import PostgresEventStore
from application.command import Contended, Ports
from application.ledger.wallet_reader import load_wallet
from application.postpaid.stream import load_postpaid
from application.recharge.change_order import PaymentTaken, change_order, load_order
from domain.fact import SYSTEM, Stamp
from domain.ids import uuid7
from domain.postpaid.owing import PostpaidLimitReached
from domain.recharge.observing import observe_payment
from domain.recharge.order import existing, order_stream
from tests.application.recharge.on_account import on_account, trusted
from tests.application.recharge.world import furnish, ordered
from tests.databases import migrated_template
from tests.domain.recharge.orders import ACCOUNT, ORDER, seen
from tests.fakes import memory_ports

CLERKS = 16


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def ports(database_url: str) -> Iterator[Ports]:
    """With a log on a real database."""
    with PostgresEventStore(database_url, connections_max=CLERKS) as store:
        yield furnish(replace(memory_ports(), store=store))


def test_one_payment_seen_by_many_at_once_credits_once(ports: Ports) -> None:
    """P16: whoever loses the race decides again, and finds it done."""
    ordered(ports)
    at = Stamp(now_us=ports.clock.now_us(), actor=SYSTEM.label)

    def notice(_number: int) -> int:
        done = change_order(
            ports.store,
            ORDER,
            lambda order: observe_payment(existing(order, ORDER), seen(provider="manual"), stamp=at),
        )
        return len(done.events)

    with ThreadPoolExecutor(CLERKS) as clerks:
        facts = list(clerks.map(notice, range(4 * CLERKS)))
    assert sorted(facts)[-2:] == [0, 2]
    assert load_wallet(ports.store, ACCOUNT).wallet.granted_nano == 100_000_000_000


def test_one_payment_claimed_for_many_orders_pays_for_one(ports: Ports) -> None:
    """The claim is a stream with one event: whoever comes second has paid for nothing."""
    order_ids = [uuid7() for _ in range(CLERKS)]
    for order_id in order_ids:
        ordered(ports, order_id=order_id)
    at = Stamp(now_us=ports.clock.now_us(), actor=SYSTEM.label)

    def notice(number: int) -> bool:
        order_id = order_ids[number]
        payment = seen(provider="manual", order_id=order_id)
        try:
            change_order(
                ports.store,
                order_id,
                lambda order: observe_payment(existing(order, order_id), payment, stamp=at),
            )
        except (PaymentTaken, Contended):
            return False
        return True

    with ThreadPoolExecutor(CLERKS) as clerks:
        paid = list(clerks.map(notice, range(CLERKS)))
    assert paid.count(True) == 1
    credited = [load_order(ports.store, order_id).credited is not None for order_id in order_ids]
    assert credited == paid
    assert load_wallet(ports.store, ACCOUNT).wallet.granted_nano == 100_000_000_000


def test_many_purchases_on_account_at_once_stay_within_the_limit(ports: Ports) -> None:
    """The version of the account's stream is the lock: whoever loses the race decides on what is left, whatever was paid or taken back."""
    trusted(ports, limit_minor=5 * 11_900 + 100)

    def buy(number: int) -> bool:
        try:
            on_account(ports, order_id=UUID(int=7_000 + number))
        except (PostpaidLimitReached, Contended):
            return False
        return True

    with ThreadPoolExecutor(CLERKS) as clerks:
        bought = list(clerks.map(buy, range(CLERKS)))
    owes = load_postpaid(ports.store, ACCOUNT)
    assert (bought.count(True), owes.unpaid_minor) == (5, 5 * 11_900)
    assert load_wallet(ports.store, ACCOUNT).wallet.granted_nano == 500_000_000_000
    assert [order_is_there(ports, UUID(int=7_000 + number)) for number in range(CLERKS)] == bought


def order_is_there(ports: Ports, order_id: UUID) -> bool:
    return bool(ports.store.read_stream(order_stream(order_id)))
