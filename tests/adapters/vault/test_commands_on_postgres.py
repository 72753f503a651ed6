"""Commands, vault and directory together on a real Postgres."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from adapters.bodies.store import PostgresBodies
from adapters.eventstore.store import PostgresEventStore
from adapters.vault import PostgresNameBook, PostgresPersonalData, PostgresVault, secret_hasher
from adapters.vault.master_keys import MasterKeys
from adapters.vault.session import Pool
from application.accounts import open_account
from application.catalogue import add_deployment, register_provider, set_route, store_credential
from application.clock import SystemClock, SystemIds
from application.command import Ports
from application.directory import Directory
from application.directory_follower import DirectoryFollower, FollowerSettings
from application.keys import import_key, issue_key, revoke_key
from application.keys.stream import SecretTaken
from application.operators import disable_operator, register_operator
from domain.catalogue.addresses import Allowlist
from domain.fact import SYSTEM
from domain.keys.access import InvalidApiKey
from domain.operators import LastAdmin
from domain.secret import Secret
from projections.request_log import RequestReader
from projections.trial_balance import BooksReader
from tests.fakes import FakeProbe, MemoryFailures, MemoryHooks, MemoryInbox, MemoryOutbox

KEYS = MasterKeys({"k": b"k" * 31 + b"1"})
CANARY = "sk-canary-0123456789"


@pytest.fixture
def ports(database_url: str, pool: Pool) -> Iterator[Ports]:
    vault = PostgresVault(pool, KEYS)
    with PostgresEventStore(database_url) as store:
        yield Ports(
            store=store,
            clock=SystemClock(),
            ids=SystemIds(),
            vault=vault,
            names=PostgresNameBook(pool),
            personal=PostgresPersonalData(pool, KEYS),
            bodies=PostgresBodies(pool, PostgresPersonalData(pool, KEYS)),
            hasher=secret_hasher(vault.root_secret()),
            books=BooksReader(pool),
            allowlist=Allowlist.parse("127.0.0.1"),
            requests=RequestReader(pool),
            probe=FakeProbe(),
            approval_nano=100,
            inbox=MemoryInbox(),
            outbox=MemoryOutbox(),
            guesses=MemoryFailures(),
            hooks=MemoryHooks(),
        )


def account(ports: Ports) -> UUID:
    return open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=ports).id


def follower(ports: Ports, directory: Directory) -> DirectoryFollower:
    return DirectoryFollower(
        directory,
        store=ports.store,
        vault=ports.vault,
        clock=ports.clock,
        settings=FollowerSettings(poll_s=0.05),
    )


def test_one_secret_goes_to_one_of_many_importers(ports: Ports) -> None:
    """In parallel, on the real log: one key exists, and the others were told why."""
    accounts = [account(ports) for _ in range(4)]

    def bring(account_id: UUID) -> bool:
        command = import_key.ImportKey(account_id=account_id, name="k", secret=Secret(CANARY))
        try:
            import_key.handle(command, actor=SYSTEM, ports=ports)
        except SecretTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(bring, accounts)) == 1
    topics = [one.topic for one in ports.store.read_log(after_position=0, limit=100)]
    assert topics.count("key.issued.v1") == topics.count("key.secret-claimed.v1") == 1


def test_parallel_admins_never_disable_the_last_one(ports: Ports) -> None:
    """However the two commands interleave, one admin stays."""

    def register() -> UUID:
        command = register_operator.RegisterOperator(name="A", role="admin")
        return register_operator.handle(command, actor=SYSTEM, ports=ports).operator_id

    def disable(operator_id: UUID) -> bool:
        command = disable_operator.DisableOperator(operator_id=operator_id, reason="x")
        try:
            disable_operator.handle(command, actor=SYSTEM, ports=ports)
        except LastAdmin:
            return False
        return True

    admins = [register() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(disable, admins)) == [False, True, True]


def test_a_gateway_serves_what_was_set_up_and_refuses_what_was_revoked(ports: Ports) -> None:
    """A directory of another process, with a hash of the same root, follows by its poll alone."""
    key = issue_key.handle(issue_key.IssueKey(account_id=account(ports), name="k"), actor=SYSTEM, ports=ports)
    provider_id = register_provider.handle(
        register_provider.RegisterProvider(name="acme", base_url="http://127.0.0.1:9/v1"),
        actor=SYSTEM,
        ports=ports,
    ).id
    credential_id = store_credential.handle(
        store_credential.StoreCredential(provider_id=provider_id, secret=Secret(CANARY)),
        actor=SYSTEM,
        ports=ports,
    ).id
    deployment_id = add_deployment.handle(
        add_deployment.AddDeployment(
            provider_id=provider_id,
            credential_id=credential_id,
            upstream_model="m",
            context_tokens=9,
            output_tokens_max=9,
        ),
        actor=SYSTEM,
        ports=ports,
    ).id
    set_route.handle(
        set_route.SetRoute(alias="acme/m", targets=(set_route.Target(deployment_id=deployment_id),)),
        actor=SYSTEM,
        ports=ports,
    )
    directory = Directory(secret_hasher(ports.vault.root_secret()))
    secret = key.secret.reveal().encode()

    async def scenario() -> None:
        one = follower(ports, directory)
        await one.catch_up()
        assert one.position == ports.store.head_position()
        assert directory.authenticate(secret, now_us=ports.clock.now_us()).key.key_id == key.key_id
        view = directory.alias("acme/m")
        assert view is not None
        assert view.deployments[0].authorization == b"Bearer " + CANARY.encode()
        task = asyncio.create_task(one.run())
        command = revoke_key.RevokeKey(key_id=key.key_id, reason="x")
        done = await asyncio.to_thread(revoke_key.handle, command, actor=SYSTEM, ports=ports)
        assert done.position is not None
        async with asyncio.timeout(60):
            while one.position < done.position:  # noqa: ASYNC110 - the follower signals nobody
                await asyncio.sleep(0.01)
        with pytest.raises(InvalidApiKey):
            directory.authenticate(secret, now_us=ports.clock.now_us())
        task.cancel()

    asyncio.run(scenario())
    log = ports.store.read_log(after_position=0, limit=1_000)
    assert all(CANARY.encode() not in one.state and secret not in one.state for one in log)
