"""A real gateway process with its admin API, on a database of each test's own."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from application.operators import register_operator
from asgi import make_app
from bootstrap import ports_of
from domain.fact import SYSTEM
from domain.operators import PERMISSIONS, Role
from gateway_process import GatewayProcess
from settings import Settings
from tests.databases import migrated_template

MASTER_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()


class World(msgspec.Struct, frozen=True):
    """A client of the running application, and a token and an id per role. No worker runs: `cli_runner.project` does its work."""

    database_url: str
    client: TestClient[Litestar]
    tokens: dict[Role, str]
    operators: dict[Role, UUID]

    def as_role(self, role: Role) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with make_world(database_url) as made:
        yield made


@contextmanager
def make_world(database_url: str, *, prices_need_approval: Literal["on", "off"] = "off") -> Iterator[World]:
    """A running gateway with an operator of every role."""
    settings = Settings(
        database_url=database_url,
        tokenok_master_key=MASTER_KEY,
        prices_need_approval=prices_need_approval,
    )
    tokens: dict[Role, str] = {}
    operators: dict[Role, UUID] = {}
    with ports_of(settings) as ports:
        for role in PERMISSIONS:
            command = register_operator.RegisterOperator(name=role, role=role)
            made = register_operator.handle(command, actor=SYSTEM, ports=ports)
            tokens[role], operators[role] = made.token.reveal(), made.operator_id
    with TestClient(make_app(GatewayProcess(settings))) as client:
        yield World(database_url, client, tokens, operators)
