"""An account that recharges by itself: its provider, its rounds, and crashes in them."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from application.auto_recharge.follow import FollowTools
from application.auto_recharge.rounds import AutoRecharging
from application.auto_recharge.save_method import SaveMethod
from application.auto_recharge.save_method import handle as save_method
from application.auto_recharge.set_rule import SetAutoRecharge
from application.auto_recharge.set_rule import handle as set_rule
from application.auto_recharge.start import LowAccount
from application.auto_recharge.stream import load_auto
from application.command import Done, Ports
from application.ledger.wallet_reader import load_wallet
from application.recharge.change_order import load_order
from application.recharge.queries import OrderFilter, OrderPage, OrderRow
from domain.auto_recharge.auto import Auto, order_of
from domain.fact import SYSTEM
from domain.recharge.order import Order
from tests.application.checkout.provider import FakeProvider, deliver, message, work, world
from tests.domain.auto_recharge.autos import left
from tests.domain.recharge.orders import ACCOUNT
from tests.fakes import ManualClock, MemoryEventStore

THRESHOLD_NANO = 20_000_000_000


class World(msgspec.Struct, kw_only=True):
    """Implements what the rounds ask read models for, always up to date."""

    provider: FakeProvider
    ports: Ports
    balance_nano: int | None = None  #: what the account has if none
    disputed: bool = False
    position: int | None = None  #: of the balance; that of the log's end if none

    @property
    def store(self) -> MemoryEventStore:
        assert isinstance(self.ports.store, MemoryEventStore)
        return self.ports.store

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.ports.clock, ManualClock)
        return self.ports.clock

    @property
    def auto(self) -> Auto:
        return load_auto(self.ports.store, ACCOUNT)

    def order(self, number: int = 1) -> Order:
        return load_order(self.ports.store, order_of(ACCOUNT, number))

    def low(self, *, now_us: int, limit: int) -> list[LowAccount]:
        position = self.store.head_position() if self.position is None else self.position
        has_nano = load_wallet(self.store, ACCOUNT).wallet.available_nano
        balance_nano = has_nano if self.balance_nano is None else self.balance_nano
        return [LowAccount(account_id=ACCOUNT, balance_nano=balance_nano, position=position)]

    def under_way(self, *, limit: int) -> list[UUID]:
        return [ACCOUNT]

    def orders(
        self, wanted: OrderFilter, *, before_position: int | None = None, limit: int = 100
    ) -> OrderPage:
        assert wanted == OrderFilter(account_id=ACCOUNT, status="disputed")
        return OrderPage(items=(_ROW,) if self.disputed else (), next_before=None)

    def round(self, **changes: Any) -> int:
        """One round of a worker."""
        ports = self.ports
        tools = FollowTools(checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
        rounds = AutoRecharging(accounts=self, orders=_Orders(self), follow=replace(tools, **changes))
        return rounds.round()

    def set(self, **changes: Any) -> Done:
        given: dict[str, Any] = {
            "account_id": ACCOUNT,
            "threshold_nano": THRESHOLD_NANO,
            "amount_minor": 10_000,
            "currency": "EUR",
            "cap_minor": 50_000,
            "country": "DE",
        }
        return set_rule(SetAutoRecharge(**(given | changes)), actor=SYSTEM, ports=self.ports)


class _Orders(msgspec.Struct):
    """Of the read model `orders` what the rounds ask for."""

    world: World

    def orders(
        self, wanted: OrderFilter, *, before_position: int | None = None, limit: int = 100
    ) -> OrderPage:
        return self.world.orders(wanted, before_position=before_position, limit=limit)

    def order(self, order_id: UUID) -> OrderRow | None:
        return None


_ROW = OrderRow(
    **{name: {"provider": "stripe", "status": "disputed"}.get(name, 0) for name in OrderRow.__struct_fields__}  # type: ignore[arg-type]  # only that it is there matters
)


def blank() -> World:
    provider = FakeProvider()
    return World(provider=provider, ports=world(provider))


def with_method() -> World:
    """A way to pay was left, and the provider has told of it."""
    made = blank()
    page = save_method(SaveMethod(account_id=ACCOUNT, provider="stripe"), actor=SYSTEM, ports=made.ports)
    made.provider.objects[page.session_ref] = (left(session_ref=page.session_ref),)
    deliver(made.ports, message(event_ref=f"evt_{page.session_ref}", object_ref=page.session_ref))
    work(made.ports)
    return made


def automatic(**rule: Any) -> World:
    """It recharges below 20 credits: 100.00 EUR and 19 % on top, up to 500.00 a month."""
    made = with_method()
    made.set(**rule)
    return made
