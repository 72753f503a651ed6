"""Disputes are asked for until they end, whether or not a message tells of it."""

from uuid import UUID

from msgspec.structs import replace

from application.checkout.sweep_disputes import sweep_disputes
from application.command import Ports
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from domain.recharge.order import Order
from tests.application.checkout.provider import FakeProvider, deliver, message, work
from tests.application.checkout.test_webhooks import DISPUTE, PAID, bought
from tests.domain.recharge.orders import ACCOUNT, ORDER, OTHER

BOUGHT = 100_000_000_000
LATER = UUID(int=2**128 - 1)


class _Disputed:
    """The orders of these ids, a page with each."""

    def __init__(self, *order_ids: UUID) -> None:
        self._order_ids = sorted(order_ids)

    def orders_disputed(self, provider: str, *, after: UUID | None, limit: int) -> list[UUID]:
        return [one for one in self._order_ids if after is None or one > after][:1]


def disputed(provider: FakeProvider) -> Ports:
    """An order whose customer's bank wants everything back."""
    ports = bought(provider, PAID, DISPUTE)
    deliver(ports, message())
    work(ports)
    assert order(ports).status == "disputed"
    return ports


def order(ports: Ports) -> Order:
    return load_order(ports.store, ORDER)


def sweep(ports: Ports, *order_ids: UUID) -> int:
    where = _Disputed(*(order_ids or (ORDER,)))
    return sweep_disputes(where, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)


def test_the_end_of_a_dispute_is_found_when_its_message_is_lost() -> None:
    """Lost: the frozen credit is taken. Asked again, nothing more happens."""
    provider = FakeProvider()
    ports = disputed(provider)
    provider.objects[DISPUTE.dispute_ref] = (replace(DISPUTE, status="lost"),)
    for _ in range(2):
        assert sweep(ports) == 1
    assert order(ports).disputes[DISPUTE.dispute_ref].state == "lost"
    wallet = load_wallet(ports.store, ACCOUNT).wallet
    assert (wallet.available_nano, wallet.claims) == (0, {})


def test_a_dispute_that_is_won_gives_its_credit_back() -> None:
    """As by its message."""
    provider = FakeProvider()
    ports = disputed(provider)
    provider.objects[DISPUTE.dispute_ref] = (replace(DISPUTE, status="won"),)
    sweep(ports)
    assert order(ports).status == "credited"
    assert load_wallet(ports.store, ACCOUNT).wallet.available_nano == BOUGHT


def test_what_has_ended_is_not_asked_for() -> None:
    """The list of disputes may be older than the order."""
    provider = FakeProvider()
    ports = disputed(provider)
    provider.objects[DISPUTE.dispute_ref] = (replace(DISPUTE, status="won"),)
    sweep(ports)
    asked = provider.asked
    sweep(ports)
    assert provider.asked == asked


def test_every_dispute_is_asked_for_however_long_others_stay_open() -> None:
    """Page after page; an order that is not there, and one that the provider does not find, stop nobody."""
    provider = FakeProvider()
    ports = disputed(provider)
    assert sweep(ports, UUID(int=1), ORDER, OTHER) == 3
    assert order(ports).status == "disputed"


def test_a_provider_that_is_away_or_in_the_other_mode_is_for_the_next_run() -> None:
    """It is asked once; keys of the other mode would find another dispute, or none."""
    provider = FakeProvider()
    ports = disputed(provider)
    provider.is_down = True
    assert sweep(ports, ORDER, LATER) == 1
    provider.is_down, provider.mode = False, "test"
    asked = provider.asked
    assert sweep(ports) == 1
    assert provider.asked == asked
    assert order(ports).status == "disputed"
