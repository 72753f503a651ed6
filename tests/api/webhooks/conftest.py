"""A real gateway process that takes payment providers' messages, with a counterpart of each and a worker's rounds."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from adapters.checkout.inbox import PostgresWebhookQueue
from application.checkout.handle import WebhookTools, handle_due
from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.command import Ports
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from asgi import make_app
from domain.fact import SYSTEM
from domain.recharge.offers import TaxRate
from gateway_process import GatewayProcess
from settings import Settings
from tests.adapters.checkout.sides import SIDES, Message, Side, StripeSide
from tests.adapters.checkout.stripe_stub import StripeStub
from tests.application.recharge.world import furnish, ordered
from tests.databases import migrated_template
from tests.domain.recharge.orders import ORDER

MASTER_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()


class Shop(msgspec.Struct, frozen=True):
    """The gateway's client, its ports, the provider's side, and a worker."""

    client: TestClient[Litestar]
    ports: Ports
    side: Side
    process: GatewayProcess

    @property
    def stripe(self) -> StripeStub:
        assert isinstance(self.side, StripeSide)
        return self.side.stub

    def checkout(self, order_id: UUID = ORDER) -> str:
        """An order whose page is open; the page's id."""
        ordered(self.ports, provider=self.side.name, currency=self.side.currency, order_id=order_id)
        return open_checkout(OpenCheckout(order_id=order_id), actor=SYSTEM, ports=self.ports).session_ref

    def post(self, message: Message) -> httpx.Response:
        """A message comes in."""
        raw, headers = message
        return self.client.post(f"/webhooks/{self.side.name}", content=raw, headers=headers)

    def work(self) -> None:
        """Handle all that is due."""
        tools = WebhookTools(
            checkouts=self.ports.checkouts,
            queue=PostgresWebhookQueue(self.process.pool),
            store=self.ports.store,
            clock=self.ports.clock,
        )
        while handle_due(tools):
            pass


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@contextmanager
def shop_of(name: str, database_url: str) -> Iterator[Shop]:
    with SIDES[name]() as side:
        settings = Settings(
            database_url=database_url,
            tokenok_master_key=MASTER_KEY,
            **side.settings,  # type: ignore[arg-type]  # all of them are texts
        )
        process = GatewayProcess(settings)
        with TestClient(make_app(process)) as client:
            ports = furnish(process.ports)
            offer = SetRechargeOffer(
                currency="CNY",
                rate_num=10_000_000,
                min_minor=500,
                max_minor=1_000_000,
                taxes=(TaxRate(country="DE", rate_ppm=190_000),),
            )
            set_offer(offer, actor=SYSTEM, ports=ports)
            yield Shop(client, ports, side, process)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """With Stripe."""
    with shop_of("stripe", database_url) as one:
        yield one


@pytest.fixture(params=["stripe", "alipay", "wechat"])
def any_shop(request: pytest.FixtureRequest, database_url: str) -> Iterator[Shop]:
    """With each provider that sends messages."""
    with shop_of(request.param, database_url) as one:
        yield one
