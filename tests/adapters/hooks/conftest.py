"""Customers with endpoints on a database of each test's own, a server of theirs, and the worker's work by hand."""

import asyncio
import base64
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest

from adapters.hooks.client import HookSender
from adapters.hooks.tables import Pool, PostgresHookQueue
from adapters.hooks.worker_side import PostgresClaims, PostgresCollecting
from application.accounts import open_account
from application.command import Ports
from application.hooks import register_endpoint
from application.hooks.collect import collect
from application.hooks.deliver import DeliveryTools, deliver
from application.hooks.ports import MessageRow
from application.hooks.stream import EndpointSecret
from application.keys import issue_key
from bootstrap import open_pool, ports_of
from domain.catalogue.addresses import Allowlist
from domain.fact import SYSTEM
from settings import Settings
from tests.adapters.hooks.receiver import Receiver
from tests.databases import migrated_template

ADA, BEN = UUID(int=0xA), UUID(int=0xB)
HERE = Allowlist.parse("127.0.0.1")


class World(msgspec.Struct, frozen=True):
    """Two accounts, and shorthands for what customers and the worker do."""

    settings: Settings
    ports: Ports
    pool: Pool
    receiver: Receiver

    def register(self, *kinds: str, account_id: UUID = ADA, path: str = "/in") -> EndpointSecret:
        command = register_endpoint.RegisterEndpoint(
            account_id=account_id, url=self.receiver.url + path, kinds=kinds
        )
        return register_endpoint.handle(command, actor=SYSTEM, ports=self.ports)

    def key(self, account_id: UUID = ADA) -> UUID:
        """Something happens: an API key is issued."""
        command = issue_key.IssueKey(account_id=account_id, name="k")
        return issue_key.handle(command, actor=SYSTEM, ports=self.ports).key_id

    def collect(self) -> None:
        """To the end of the log."""
        while collect(PostgresCollecting(self.pool), self.ports.store):
            pass

    def send(self, allowlist: Allowlist = HERE) -> int:
        """What is due, once; how many messages that was."""
        return asyncio.run(self._send(allowlist))

    async def _send(self, allowlist: Allowlist) -> int:
        claims, sender = PostgresClaims(self.pool), HookSender(allowlist)
        tools = DeliveryTools(
            claims=claims,
            sender=sender,
            store=self.ports.store,
            vault=self.ports.vault,
            clock=self.ports.clock,
        )
        sent = 0
        while due := claims.claim(limit=10, rest_s=60, busy=[]):
            for one in due:
                await deliver(one, tools)
            sent += len(due)
        await sender.aclose()
        return sent

    def work(self) -> int:
        self.collect()
        return self.send()

    def make_due(self) -> None:
        """As if the waits were over."""
        with self.pool.connection() as connection:
            connection.execute("UPDATE hook_messages SET next_at = clock_timestamp() WHERE state = 'waiting'")

    def messages(self, endpoint_id: UUID) -> tuple[MessageRow, ...]:
        """Oldest first."""
        return tuple(reversed(PostgresHookQueue(self.pool).messages(endpoint_id).items))


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    settings = Settings(
        database_url=database_url,
        tokenok_master_key="k1:" + base64.b64encode(bytes(range(32))).decode(),
        allow_private_webhooks="127.0.0.1",
    )
    with ports_of(settings) as ports, open_pool(settings) as pool, Receiver().serving() as receiver:
        for account_id in (ADA, BEN):
            command = open_account.OpenAccount(name="A", account_id=account_id)
            open_account.handle(command, actor=SYSTEM, ports=ports)
        yield World(settings, ports, pool, receiver)
