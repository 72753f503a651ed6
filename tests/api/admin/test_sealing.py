"""The sealed log as operators read it: proofs, figures, and the notice when it stands still."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient

from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.ed25519 import new_key, verify
from adapters.sealing.keys import parse_seal_keys
from application.operators import register_operator
from asgi import make_app
from bootstrap import open_pool, ports_of
from domain.fact import SYSTEM
from domain.sealing.proof import read_proof
from domain.sealing.tree import leaf_hash
from gateway_process import GatewayProcess
from sealing import LogSealing
from settings import Settings
from tests.api.admin.conftest import MASTER_KEY, World
from tests.waiting import until

PRIVATE = new_key("example.com/log")
KEYS = parse_seal_keys(PRIVATE)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        tokenok_master_key=MASTER_KEY,
        seal_dir=str(tmp_path / "seal"),
        seal_key=KEYS.public[0].text,
    )


@pytest.fixture
def reader(settings: Settings) -> Iterator[World]:
    """A gateway with the public key, and somebody who may only read."""
    with ports_of(settings) as ports:
        command = register_operator.RegisterOperator(name="Anna", role="auditor")
        made = register_operator.handle(command, actor=SYSTEM, ports=ports)
    with TestClient(make_app(GatewayProcess(settings))) as client:
        yield World(
            settings.database_url, client, {"auditor": made.token.reveal()}, {"auditor": made.operator_id}
        )


def test_nothing_is_claimed_before_the_first_checkpoint(reader: World) -> None:
    """409 with a code, for what is in the log and not sealed."""
    answer = reader.client.get("/api/admin/seal/proofs/1", headers=reader.as_role("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed")


def test_what_is_sealed_can_be_proved_by_whoever_may_read(reader: World, settings: Settings) -> None:
    """The proof holds for the line that comes with it; figures and consistency beside it."""
    _seal(settings)
    headers = reader.as_role("auditor")
    status = reader.client.get("/api/admin/seal", headers=headers).json()
    assert (status["origin"], status["size"]) == ("example.com/log", 1)
    proved = reader.client.get("/api/admin/seal/proofs/1", headers=headers).json()
    read_proof(proved["proof"].encode()).check(leaf_hash(proved["leaf"].encode()), KEYS.public, verify)
    shown = reader.client.get("/api/admin/seal/consistency?from=1", headers=headers).json()
    assert shown["old_root"] == shown["root"] == status["root"]
    metrics = reader.client.get("/metrics").text
    assert "tokenok_seal_size 1.0" in metrics
    assert "tokenok_seal_stopped 0.0" in metrics


def test_a_place_that_is_not_there_is_refused(reader: World, settings: Settings) -> None:
    """A position without an event, a size without a tree, no token at all."""
    _seal(settings)
    headers = reader.as_role("auditor")
    assert reader.client.get("/api/admin/seal/proofs/99", headers=headers).status_code == 404
    assert reader.client.get("/api/admin/seal/consistency?from=9", headers=headers).status_code == 400
    assert reader.client.get("/api/admin/seal").status_code == 401


def test_a_process_that_was_not_told_says_so(world: World) -> None:
    """Without the settings there is nothing to read."""
    answer = world.client.get("/api/admin/seal", headers=world.as_role("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (503, "sealing_off")


def test_a_standstill_is_told_and_stops_nobody(settings: Settings) -> None:
    """Money can still be written: the process stays ready, and says what somebody must look at."""
    with open_pool(settings) as pool:
        PostgresCheckpointBook(pool).set_fault("log_changed", "the event at position 5 is not the one")
    with TestClient(make_app(GatewayProcess(settings))) as client:
        told = until(lambda: client.get("/readyz").json()["notices"])
        assert client.get("/readyz").status_code == 200
        assert told == ["sealing stands still: log_changed, the event at position 5 is not the one"]
        assert "tokenok_seal_stopped 1.0" in client.get("/metrics").text


def _seal(settings: Settings) -> None:
    with_key = Settings(database_url=settings.database_url, seal_dir=settings.seal_dir, seal_key=PRIVATE)
    with LogSealing(with_key), psycopg.connect(settings.database_url) as connection:
        until(lambda: connection.execute("SELECT size FROM sealed_checkpoints").fetchone())
