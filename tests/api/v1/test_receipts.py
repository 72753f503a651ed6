"""Receipts as customers get them, from a running gateway with a sealed log, and checked from the file alone."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.sealing.ed25519 import new_key
from adapters.sealing.keys import parse_seal_keys
from sealing import LogSealing
from settings import from_environment
from tests.api.admin.test_requests import MASTER_KEY
from tests.api.v1.gateway_world import World, ask, running_world
from tests.cli_runner import Cli, project
from tests.waiting import until

LOG_KEY, RECEIPT_KEY = new_key("example.com/log"), new_key("example.com/log/receipts")
PUBLIC = [parse_seal_keys(key).public[0].text for key in (RECEIPT_KEY, LOG_KEY)]


class Asked(msgspec.Struct, frozen=True):
    """Ids of requests that have ended."""

    charged: str
    failed: str


@pytest.fixture(scope="module")
def environment(
    postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {
            "DATABASE_URL": make_conninfo("", **conninfo_to_dict(postgres_url) | {"dbname": name}),
            "REDIS_URL": redis_url,
            "TOKENOK_MASTER_KEY": MASTER_KEY,
            "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
            "DRAIN_S": "2",
            "SEAL_DIR": str(tmp_path_factory.mktemp("seal")),
            "SEAL_KEY": PUBLIC[1],
            "RECEIPT_KEY": RECEIPT_KEY,
        }
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def world(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(environment, tmp_path_factory.mktemp("receipts")) as running:
        yield running


@pytest.fixture(scope="module")
def asked(world: World, environment: dict[str, str]) -> Asked:
    """Two requests, in the record."""
    charged = world.chat(ask("demo")).headers["x-request-id"]
    failed = world.chat(ask("alone/status_500")).headers["x-request-id"]
    for request_id in (charged, failed):
        world.ending(request_id)
    project(environment["DATABASE_URL"])
    return Asked(charged, failed)


def receipt(world: World, request_id: str, *, key: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {key or world.seed.api_key}"}
    return world.client.get(f"/v1/receipts/{request_id}", headers=headers)


def test_a_receipt_comes_before_the_seal_and_says_so(
    world: World, asked: Asked, environment: dict[str, str], tmp_path: Path
) -> None:
    """Pending, then sealed: what was signed is the same to the byte, and the file is checked without the gateway."""
    before = receipt(world, asked.charged).json()
    assert (before["seal"], before["proof"]) == ("pending", None)
    event = world.charge(asked.charged)
    shown = before["receipt"]
    assert (shown["charge_nano"], shown["hold_nano"]) == (event.charge_nano, event.hold_nano)
    assert shown["formula"]["cost_nano"] == event.charge_nano + event.shortfall_nano
    assert shown["attempts"][0]["provider_name"] == event.provider
    assert str(event.deployment_id) not in str(before)

    with LogSealing(from_environment(environment | {"SEAL_KEY": LOG_KEY})):
        after = until(lambda: found if (found := receipt(world, asked.charged).json())["proof"] else None)
    assert (after["seal"], after["note"]) == ("sealed", before["note"])

    (tmp_path / "receipt.json").write_bytes(receipt(world, asked.charged).content)
    keys = [word for key in PUBLIC for word in ("--key", key)]
    elsewhere = Cli(TOKENOK_DATA=str(tmp_path))
    said = elsewhere.text("receipt", "verify", str(tmp_path / "receipt.json"), *keys)
    assert "right        the seal" in said
    assert "right        the charge" in said
    (tmp_path / "forged.json").write_text(
        receipt(world, asked.charged).text.replace("hold_nano", "held_nano")
    )
    forged = elsewhere.run("receipt", "verify", str(tmp_path / "forged.json"), *keys)
    assert (forged.returncode, forged.stderr.partition(":")[0]) == (1, "bad_receipt")


def test_a_failed_request_has_a_receipt_over_nothing(world: World, asked: Asked) -> None:
    """The code that the client was told, and no charge."""
    shown = receipt(world, asked.failed).json()["receipt"]
    assert (shown["state"], shown["charge_nano"], shown["formula"]) == ("failed", 0, None)
    assert shown["error_code"]


def test_anothers_receipt_does_not_exist(world: World, asked: Asked) -> None:
    """404 in the API's envelope, as for a request that never was; and without a key 401."""
    other = world.new_key("Other", amount_nano=10**9)
    for answer in (receipt(world, asked.charged, key=other), receipt(world, secrets.token_hex(4))):
        assert answer.status_code in (400, 404)
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert receipt(world, asked.charged, key=other).json()["error"]["code"] == "receipt_not_found"
    assert world.client.get(f"/v1/receipts/{asked.charged}").status_code == 401
    wrong = world.client.post(f"/v1/receipts/{asked.charged}", headers={"authorization": f"Bearer {other}"})
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


def test_operators_see_the_event_itself(world: World, asked: Asked, environment: dict[str, str]) -> None:
    """The line with the hash that the customer's receipt has, and the attempts as stored."""
    token = {"authorization": f"Bearer {world.seed.operator_token}"}
    twin = world.client.get(f"/api/admin/receipts/{asked.charged}", headers=token).json()
    assert twin["receipt"] == receipt(world, asked.charged).json()["receipt"]
    event = world.charge(asked.charged)
    assert twin["stored_attempts"][0]["deployment_id"] == str(event.deployment_id)
    assert f'"request_id":"{asked.charged}"' in twin["leaf"]
    assert Cli(**environment).json("receipt", "show", "--request", asked.charged)["leaf"] == twin["leaf"]
    missing = world.client.get(f"/api/admin/receipts/{world.seed.account_id}", headers=token)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
