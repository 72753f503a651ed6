"""The probes of a process, with a real database and a real socket."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from structlog.testing import capture_logs

from application.catalogue import add_deployment, register_provider
from bootstrap import ports_of
from domain.fact import SYSTEM
from prober import Prober
from settings import Settings
from tests.databases import migrated_template
from tests.waiting import until

KEY: Final = f"k1:{base64.b64encode(bytes(range(32))).decode()}"


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


def test_without_a_master_key_there_are_no_probes() -> None:
    """It says so once, and the other jobs go on."""
    with capture_logs() as lines, Prober(Settings(database_url="postgresql:///nowhere")) as prober:
        prober.kick()
        prober.kick()
    assert [line["event"] for line in lines] == ["probes_off"]


def test_a_database_that_is_away_ends_a_round_and_not_the_process(tmp_path: Path) -> None:
    """The next round tries again."""
    settings = Settings(database_url=f"postgresql:///nowhere?host={tmp_path}", tokenok_master_key=KEY)
    with capture_logs() as lines, Prober(settings, jitter_s=0) as prober:

        def failed_twice() -> bool:
            prober.kick()
            return len(lines) >= 2

        until(failed_twice)
    assert {line["event"] for line in lines} == {"probes_failed"}


def test_a_round_that_is_under_way_is_broken_off_at_the_end(database_url: str) -> None:
    """Leaving does not wait for the spread of the probes, nor does a second kick begin a second round."""
    settings = Settings(
        database_url=database_url, tokenok_master_key=KEY, allow_private_upstreams="127.0.0.1"
    )
    with ports_of(settings) as ports:
        registered = register_provider.RegisterProvider(
            name="acme", base_url="http://127.0.0.1:9/v1", usage_dialect="openai"
        )
        provider_id = register_provider.handle(registered, actor=SYSTEM, ports=ports).id
        added = add_deployment.AddDeployment(
            provider_id=provider_id, upstream_model="m", context_tokens=10, output_tokens_max=10
        )
        add_deployment.handle(added, actor=SYSTEM, ports=ports)
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tokenok-prober' AND datname = current_database()"
    with psycopg.connect(database_url, autocommit=True) as connection, capture_logs() as lines:
        with Prober(settings, jitter_s=3600) as prober:
            prober.kick()
            until(lambda: connection.execute(connected).fetchone() != (0,))
            prober.kick()
            assert [one.name for one in threading.enumerate()].count("prober") == 1
        assert "prober" not in [one.name for one in threading.enumerate()]
    assert lines == []
