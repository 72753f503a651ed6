"""A real gateway process with two customers on a database of each test's own, and a management key per role and customer."""

import base64
from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from api.customer.app import PREFIX
from application.accounts import open_account
from application.command import Ports
from application.management import issue_management_key
from application.members import invite_member
from application.recharge import place_order, set_offer
from asgi import make_app
from bootstrap import ports_of
from domain.fact import SYSTEM, Actor
from domain.management import ManagementRole
from gateway_process import GatewayProcess
from settings import Settings
from tests.databases import migrated_template
from tests.waiting import until

MASTER_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
MINE, OTHER = UUID(int=0xA), UUID(int=0xB)
URL = "https://hooks.example.com/in"
ROLES: tuple[ManagementRole, ...] = get_args(ManagementRole)


class World(msgspec.Struct, frozen=True):
    """A client of the running application, and the secrets of the customers' management keys."""

    client: TestClient[Litestar]
    process: GatewayProcess
    secrets: dict[tuple[UUID, ManagementRole], str]

    @property
    def ports(self) -> Ports:
        return self.process.ports

    def ask(
        self,
        method: str,
        path: str,
        *,
        role: ManagementRole = "admin",
        account: UUID = MINE,
        body: object = None,
        key: str | None = None,
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.secrets[account, role]}"}
        if key is not None:
            headers["idempotency-key"] = key
        content = body if isinstance(body, bytes) else msgspec.json.encode({} if body is None else body)
        return self.client.request(
            method, f"{PREFIX}{path}", headers=headers, content=content if method == "POST" else None
        )

    def get(self, path: str, **more: Any) -> Any:
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def done(self, path: str, body: object, **more: Any) -> Any:
        """Command it; it must succeed. The directory has followed when this returns."""
        answer = self.ask("POST", path, body=body, **more)
        assert answer.status_code in {200, 201}, answer.text
        position = answer.json().get("position")
        if position is not None:
            until(lambda: self.process.directory.position >= position)
        return answer.json()


def management_secret(ports: Ports, account_id: UUID, role: ManagementRole, *, by: Actor = SYSTEM) -> str:
    command = issue_management_key.IssueManagementKey(account_id=account_id, name=role, role=role)
    return issue_management_key.handle(command, actor=by, ports=ports).secret.reveal()


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    settings = Settings(
        database_url=database_url, tokenok_master_key=MASTER_KEY, allow_private_upstreams="127.0.0.1"
    )
    with ports_of(settings) as ports:
        for account_id in (MINE, OTHER):
            command = open_account.OpenAccount(name=f"Acme {account_id.int}", account_id=account_id)
            open_account.handle(command, actor=SYSTEM, ports=ports)
        secrets = {
            (account_id, role): management_secret(ports, account_id, role)
            for account_id in (MINE, OTHER)
            for role in ROLES
        }
        offer = set_offer.SetRechargeOffer(
            currency="EUR", rate_num=10_000_000, min_minor=500, max_minor=100_000
        )
        set_offer.handle(offer, actor=SYSTEM, ports=ports)
    process = GatewayProcess(settings)
    with TestClient(make_app(process)) as client:
        yield World(client, process, secrets)


def things_of(world: World, account: UUID) -> dict[str, str]:
    """One of everything that an account can have, by the field that names it."""
    key = world.done("/keys/issue", {"name": "Laptop"}, account=account)
    budget = {"amount_nano": 5, "window": "day", "enforcement": "soft"}
    command = place_order.PlaceOrder(account_id=account, currency="EUR", amount_minor=1000)
    order = place_order.handle(command, actor=SYSTEM, ports=world.ports)
    management = world.process.directory.key_ring.of_account(account)
    invited = invite_member.InviteMember(account_id=account, role="viewer")
    invitation = invite_member.handle(invited, actor=SYSTEM, ports=world.ports)
    return {
        "key_id": key["key_id"],
        "budget_id": world.done("/budgets/set", budget, account=account)["id"],
        "order_id": str(order.order_id),
        "management_key_id": str(next(iter(management))),
        "endpoint_id": world.done("/endpoints/register", {"url": URL}, account=account)["endpoint_id"],
        "invitation_id": str(invitation.invitation_id),
    }
