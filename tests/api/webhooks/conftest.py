"""A real gateway process that takes Stripe's messages, with a stub of Stripe and a worker's rounds."""

import base64
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from adapters.checkout.inbox import PostgresWebhookQueue
from application.checkout.handle import WebhookTools, handle_due
from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.command import Ports
from asgi import make_app
from domain.fact import SYSTEM
from gateway_process import GatewayProcess
from settings import Settings
from tests.adapters.checkout.signed import SECRET
from tests.adapters.checkout.stripe_stub import StripeStub, serving
from tests.application.recharge.world import furnish, ordered
from tests.databases import migrated_template
from tests.domain.recharge.orders import ORDER

MASTER_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()


class Shop(msgspec.Struct, frozen=True):
    """The gateway's client, its ports, Stripe's side, and a worker."""

    client: TestClient[Litestar]
    ports: Ports
    stripe: StripeStub
    process: GatewayProcess

    def checkout(self, order_id: UUID = ORDER) -> str:
        """An order whose page is open; the page's id."""
        ordered(self.ports, provider="stripe", order_id=order_id)
        return open_checkout(OpenCheckout(order_id=order_id), actor=SYSTEM, ports=self.ports).session_ref

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


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with serving() as stub:
        settings = Settings(
            database_url=database_url,
            tokenok_master_key=MASTER_KEY,
            public_url="https://shop.example/",
            stripe_secret_key="sk_test_0123456789",
            stripe_webhook_secret=SECRET,
            stripe_api_base=stub.url,
        )
        process = GatewayProcess(settings)
        with TestClient(make_app(process)) as client:
            yield Shop(client, furnish(process.ports), stub, process)
