"""The master key is exchanged under a running installation: what an operator does, step by step."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from application.operators import register_operator
from application.vault import SecretRef
from asgi import make_app
from bootstrap import ports_of
from domain.fact import SYSTEM
from gateway_process import GatewayProcess
from settings import Settings
from tests.cli_runner import Cli
from tests.waiting import until

OLD = "k1:" + base64.b64encode(bytes(range(32))).decode()
NEW = "k2:" + base64.b64encode(bytes(range(1, 33))).decode()
PROVIDER_SECRET = "sk-of-a-provider"


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient[Litestar]]:
    with TestClient(make_app(GatewayProcess(settings))) as client:
        yield client


def send(
    client: TestClient[Litestar], token: str, path: str, body: object, *, key: str | None = None
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})
    answer = client.post(f"/api/admin{path}", content=msgspec.json.encode(body), headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return answer


def models(client: TestClient[Litestar], api_key: str) -> int:
    return client.get("/v1/models", headers={"authorization": f"Bearer {api_key}"}).status_code


def test_a_new_master_key_takes_over_and_nobody_notices(database_url: str) -> None:
    """With both keys set and after `rotate` the new one alone opens everything: API keys and operators' tokens work,
    a provider's secret is readable, a repeated request gets its first answer; and the old one alone opens nothing."""

    def settings(keys: str) -> Settings:
        return Settings(database_url=database_url, tokenok_master_key=keys)

    def cli(keys: str) -> Cli:
        return Cli(DATABASE_URL=database_url, TOKENOK_MASTER_KEY=keys)

    with ports_of(settings(OLD)) as ports:
        admin = register_operator.RegisterOperator(name="Ann", role="admin")
        token = register_operator.handle(admin, actor=SYSTEM, ports=ports).token.reveal()
    provider = {"name": "acme", "base_url": "https://api.example.com/v1"}
    with serving(settings(OLD)) as client:
        account_id = send(client, token, "/accounts/open", {"name": "Blue"}).json()["id"]
        issue = {"account_id": account_id, "name": "Laptop"}
        issued = send(client, token, "/keys/issue", issue, key="once")
        api_key = issued.json()["secret"]
        provider_id = send(client, token, "/providers/register", provider).json()["id"]
        credential = {"provider_id": provider_id, "secret": PROVIDER_SECRET}
        stored = send(client, token, "/credentials/store", credential)
        until(lambda: models(client, api_key) == 200)

    assert cli(NEW).run("account", "open", "--name", "Red").returncode == 1
    with serving(settings(f"{NEW},{OLD}")) as client:
        assert models(client, api_key) == 200
        rotated = cli(f"{NEW},{OLD}").json("master-key", "rotate")
        assert rotated == {"master_key_id": "k2", "resealed": 3}
        assert models(client, api_key) == 200
        assert cli(f"{NEW},{OLD}").json("master-key", "rotate")["resealed"] == 0

    with serving(settings(NEW)) as client:
        assert models(client, api_key) == 200
        assert send(client, token, "/keys/issue", issue, key="once").content == issued.content
        send(client, token, "/accounts/open", {"name": "Green"})
    ref = SecretRef(provider_id=UUID(provider_id), credential_id=UUID(stored.json()["id"]), secret_version=1)
    with ports_of(settings(NEW)) as ports:
        assert ports.vault.open(ref).reveal() == PROVIDER_SECRET
    late = cli(OLD).run("account", "open", "--name", "Red")
    assert (late.returncode, late.stderr.partition(":")[0]) == (1, "vault_error")


@pytest.mark.parametrize("keys", [f"{OLD},k1:{NEW.partition(':')[2]}", f"{OLD},k2"])
def test_master_keys_that_cannot_be_told_apart_are_refused(database_url: str, keys: str) -> None:
    """Two keys of one id, or one without its bytes: 2, nothing is done, and no key is shown."""
    done = Cli(DATABASE_URL=database_url, TOKENOK_MASTER_KEY=keys).run("master-key", "rotate")
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, "invalid_setting")
    assert OLD.partition(":")[2] not in done.stderr
