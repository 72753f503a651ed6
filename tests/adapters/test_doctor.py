"""Every finding of the doctor, on real servers."""

import base64
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql

from adapters import doctor
from adapters.embedded import EmbeddedServers
from adapters.eventstore.migrations import migrate
from adapters.sealing.ed25519 import new_key
from adapters.sealing.keys import parse_seal_keys
from settings import Settings
from tests.databases import sound_postgres, sound_servers

GOOD_KEY = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def codes(*, environ: dict[str, str] | None = None, with_schema: bool = False, **settings: Any) -> list[str]:
    values = {"tokenok_master_key": GOOD_KEY, **settings}
    found = doctor.run_checks(Settings(**values), environ=environ or {}, with_schema=with_schema)
    for finding in found:
        assert "\n" not in str(finding)
    return [finding.code for finding in found]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """One as it is in production: the other tests' server does not wait for its disk."""
    with sound_postgres() as url:
        yield url


@pytest.fixture
def good(database_url: str, redis_url: str) -> dict[str, Any]:
    return {"database_url": database_url, "redis_url": redis_url}


@pytest.fixture
def own_server() -> Iterator[EmbeddedServers]:
    """A server that may be misconfigured without harm to other tests."""
    with sound_servers() as servers:
        yield servers


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nothing_to_say(good: dict[str, Any]) -> None:
    """A sound set-up, with its migrations applied, has no finding."""
    migrate(good["database_url"])
    assert codes(**good, with_schema=True) == []


def test_migrations_behind(good: dict[str, Any]) -> None:
    """An empty database is named, with the command that fills it."""
    (finding,) = doctor.run_checks(Settings(**good, tokenok_master_key=GOOD_KEY), environ={})
    assert finding.code == "schema_behind"
    assert "tokenok migrate" in finding.remedy


def test_a_database_of_a_newer_version(good: dict[str, Any]) -> None:
    """Code that is older than its database must not run on it."""
    migrate(good["database_url"])
    with psycopg.connect(good["database_url"]) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 'later', now(), '')")
    assert codes(**good, with_schema=True) == ["schema_mismatch"]


def test_database_unreachable(redis_url: str, free_port: int) -> None:
    """Nobody listens there."""
    assert codes(database_url=f"postgresql://u:p@127.0.0.1:{free_port}/x", redis_url=redis_url) == [
        "database_unreachable"
    ]


def test_database_name_unknown(good: dict[str, Any]) -> None:
    """The server is there, the database is not."""
    head, _, query = good["database_url"].partition("?")
    missing = f"{head[: head.rindex('/')]}/there_is_no_such_name?{query}"
    assert codes(database_url=missing, redis_url=good["redis_url"]) == ["database_unreachable"]


def test_database_password_wrong(good: dict[str, Any]) -> None:
    """It is said which of the two is wrong, and neither the right nor the wrong password is quoted."""
    url = good["database_url"]
    right = url[url.index("tokenok:") + 8 : url.index("@")]
    wrong = secrets.token_hex(8)
    settings = Settings(
        database_url=url.replace(right, wrong), redis_url=good["redis_url"], tokenok_master_key=GOOD_KEY
    )
    (finding,) = doctor.run_checks(settings, environ={})
    assert finding.code == "database_password"
    assert wrong not in str(finding)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:se@cret@127.0.0.1/x",
        "postgresql://user:se/cret@127.0.0.1/x",
        "postgresql://user:se%cret@127.0.0.1/x",
        "se cret",
    ],
)
def test_a_malformed_address_is_not_quoted(redis_url: str, url: str) -> None:
    """A password with an unescaped sign ends up where a port or host is expected; it must not be printed."""
    settings = Settings(database_url=url, redis_url=redis_url, tokenok_master_key=GOOD_KEY)
    (finding,) = doctor.run_checks(settings, environ={})
    assert finding.code == "database_url_malformed"
    assert "cret" not in str(finding)


def test_nothing_set() -> None:
    """Without addresses there is nothing to reach."""
    assert codes() == ["database_missing", "redis_missing"]


def test_postgres_too_old(good: dict[str, Any]) -> None:
    """The rule is the server's own version against the oldest supported one (moved up here, to meet a real one)."""
    found = doctor.run_checks(
        Settings(**good, tokenok_master_key=GOOD_KEY), environ={}, with_schema=False, postgres_major_min=99
    )
    assert [finding.code for finding in found] == ["postgres_too_old"]
    assert "use Postgres 99 or newer" in str(found[0])
    assert doctor.POSTGRES_MAJOR_MIN == 15


def test_synchronous_commit_off_for_this_database(good: dict[str, Any]) -> None:
    """It counts what our own sessions get, wherever it was set."""
    with psycopg.connect(good["database_url"], autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    assert codes(**good) == ["synchronous_commit_off"]


def test_fsync_off(own_server: EmbeddedServers, redis_url: str) -> None:
    """A server that is tuned for tests must not hold money."""
    url = own_server.start_postgres()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    os.kill(own_server.pids()["Postgres"], 0)
    own_server.stop()
    with own_server:
        url = own_server.start_postgres()  # with the new settings for certain
        assert codes(database_url=url, redis_url=redis_url) == ["fsync_off", "full_page_writes_off"]


def test_redis_unreachable(database_url: str, free_port: int) -> None:
    """Nobody listens there."""
    assert codes(database_url=database_url, redis_url=f"redis://127.0.0.1:{free_port}/0") == [
        "redis_unreachable"
    ]


def test_redis_address_malformed(database_url: str) -> None:
    """Not an address at all."""
    assert codes(database_url=database_url, redis_url="localhost:6379") == ["redis_unreachable"]


def test_redis_password_wrong(own_server: EmbeddedServers, database_url: str) -> None:
    """The server asks for a password that we do not have."""
    url = own_server.start_valkey()
    with redis.Redis.from_url(url) as client:
        client.config_set("requirepass", secrets.token_hex(8))
    assert codes(database_url=database_url, redis_url=url) == ["redis_password"]


def test_redis_that_evicts(own_server: EmbeddedServers, database_url: str) -> None:
    """Queued work would vanish silently; a warning, since money never depends on it."""
    url = own_server.start_valkey()
    with redis.Redis.from_url(url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    settings = Settings(database_url=database_url, redis_url=url, tokenok_master_key=GOOD_KEY)
    (finding,) = doctor.run_checks(settings, environ={}, with_schema=False)
    assert (finding.code, finding.is_fatal) == ("redis_evicts", False)
    assert "maxmemory-policy noeviction" in finding.remedy


def test_master_key_missing(good: dict[str, Any]) -> None:
    """Without it no credential can be read."""
    assert codes(**good, tokenok_master_key="") == ["master_key_missing"]


@pytest.mark.parametrize(
    "key",
    ["nocolon", ":" + "A" * 44, "k1:", "k1:not base64!", "k1:QUJD", f"{GOOD_KEY},k2:QUJD"],
    ids=["no colon", "no name", "no key", "no base64", "short", "second short"],
)
def test_master_key_malformed(good: dict[str, Any], key: str) -> None:
    """One bad key among several is enough; its value is not repeated."""
    settings = Settings(**good, tokenok_master_key=key)
    (finding,) = doctor.run_checks(settings, environ={}, with_schema=False)
    assert finding.code == "master_key_malformed"
    assert key not in str(finding)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o600, []),
        (0o400, []),
        (0o440, ["master_key_file"]),
        (0o604, ["master_key_file"]),
        (0o660, ["master_key_file"]),
    ],
)
def test_master_key_file_open_to_others(
    good: dict[str, Any], tmp_path: Path, mode: int, expected: list[str]
) -> None:
    """Others may not read it, and nobody else may write it."""
    path = tmp_path / "master.key"
    path.write_text(GOOD_KEY)
    path.chmod(mode)
    assert codes(**good, environ={"TOKENOK_MASTER_KEY_FILE": str(path)}) == expected


@pytest.mark.parametrize("name", ["seal_key", "receipt_key"])
def test_a_key_that_signs(good: dict[str, Any], tmp_path: Path, name: str) -> None:
    """One that cannot be used stops the start; one that others can read is named, if it is a private one."""
    private = new_key("example.com/log")
    assert codes(**good, **{name: "k1:abc"}) == [f"{name}_malformed"]
    path = tmp_path / "key"
    path.write_text(private)
    path.chmod(0o644)
    environ = {f"{name.upper()}_FILE": str(path)}
    assert codes(**good, **{name: private}, environ=environ) == [f"{name}_file"]
    public = parse_seal_keys(private).public[0].text
    assert codes(**good, **{name: public}, environ=environ) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("y", ["db_functions_enabled"]), ("TRUE", ["db_functions_enabled"]), ("no", []), ("", [])],
)
def test_database_functions_enabled(good: dict[str, Any], value: str, expected: list[str]) -> None:
    """The event library would use functions that were seen to let readers lose events."""
    assert codes(**good, environ={"POSTGRES_ENABLE_DB_FUNCTIONS": value}) == expected
