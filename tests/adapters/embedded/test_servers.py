"""Both servers through their life: start, stop, being killed, being started again."""

import json
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from adapters.embedded import Endpoints, read_endpoints

Start = Callable[..., Any]
EndOf = Callable[[int], Callable[[], None]]


def put(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", (value,))


def kept(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_rows_and_keys_outlive_a_stop(start: Start, scratch: Path) -> None:
    """A second start finds what the first one stored; in between no address is given to anybody."""
    first = start()
    put(first.database_url, 1)
    with redis.Redis.from_url(first.redis_url) as client:
        client.set("kept", "1")
    assert first.stop() == ""
    assert read_endpoints(scratch / "data") is None
    second = start()
    assert kept(second.database_url) == [1]
    with redis.Redis.from_url(second.redis_url) as client:
        assert client.get("kept") == b"1"


def test_servers_die_with_a_killed_application(start: Start) -> None:
    """kill -9 of the application: both servers go by themselves, and the next start finds the rows."""
    first = start()
    put(first.database_url, 1)
    first.kill()
    second = start()
    assert kept(second.database_url) == [1]


@pytest.mark.slow
def test_start_right_after_a_kill(start: Start) -> None:
    """The next start does not wait for us to see the old servers gone: it settles them itself."""
    first = start()
    put(first.database_url, 1)
    first.kill_at_once()
    second = start()
    assert kept(second.database_url) == [1]
    assert set(second.pids.values()).isdisjoint(first.pids.values())


def test_recovery_after_everything_was_killed(start: Start, end_of: EndOf) -> None:
    """kill -9 of the application and both servers together: crash recovery, nothing committed is lost."""
    first = start()
    put(first.database_url, 1)
    gone = [end_of(pid) for pid in first.pids.values()]
    for pid in (*first.pids.values(), first.process.pid):
        os.kill(pid, signal.SIGKILL)
    first.process.communicate()
    for wait in gone:
        wait()
    assert kept(start().database_url) == [1]


def test_sigterm_of_the_application(start: Start, end_of: EndOf) -> None:
    """A polite end stops both servers before the application is gone."""
    app = start()
    gone = [end_of(pid) for pid in app.pids.values()]
    app.process.send_signal(signal.SIGTERM)
    assert app.stop() == ""
    assert app.process.returncode == 0
    for wait in gone:
        wait()


def test_second_application_on_the_same_data(start: Start, scratch: Path) -> None:
    """It gets one clear sentence and a non-zero exit, never a traceback; the first one goes on."""
    first = start()
    second = start()
    assert second.error == (
        f"another Tokenok process (process {first.process.pid}) already runs the database in {scratch / 'data'}\n"
    )
    assert second.process.returncode == 1
    put(first.database_url, 1)


def test_the_lock_does_not_need_postgres(start: Start) -> None:
    """With a Postgres of its own and only Valkey embedded, the data root is still locked."""
    start(None, "--only", "valkey")
    assert "already runs" in start(None, "--only", "valkey").error


@pytest.mark.slow
def test_two_data_roots_beside_one_another(start: Start, scratch: Path) -> None:
    """Two applications on one machine do not see each other."""
    one, two = start(scratch / "one"), start(scratch / "two")
    put(one.database_url, 1)
    put(two.database_url, 2)
    assert (kept(one.database_url), kept(two.database_url)) == ([1], [2])


def test_other_commands_find_the_servers(running: Any) -> None:
    """The addresses are in a file that only its owner reads."""
    app = running
    path = running.data_root / "endpoints.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_endpoints(running.data_root) == Endpoints(
        database_url=app.database_url, redis_url=app.redis_url
    )
    assert json.loads(path.read_text()) == {"database_url": app.database_url, "redis_url": app.redis_url}


@pytest.mark.slow
def test_nothing_stays_in_the_temporary_directory(start: Start) -> None:
    """A stop removes the sockets' directory."""
    app = start()
    socket_directory = Path(app.redis_url.removeprefix("unix://").partition("?")[0]).parent
    assert socket_directory.is_dir()
    app.stop()
    assert not socket_directory.parent.exists()


def test_durability_is_on(running: Any) -> None:
    """What a ledger stands on is not tuned away, and nothing listens on the network."""
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "max_connections": "300",
        "shared_buffers": "128MB",
        "server_encoding": "UTF8",
    }
    with psycopg.connect(running.database_url) as connection:
        found = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in wanted
        }
    assert found == {name: (value,) for name, value in wanted.items()}


def test_valkey_neither_evicts_nor_listens(running: Any) -> None:
    """Queued work is never thrown away to make room, it is on disk, and no port is open."""
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec", "port": "0"}
    with redis.Redis.from_url(running.redis_url) as client:
        assert {name: client.config_get(name)[name] for name in wanted} == wanted


def test_no_way_in_without_the_password(running: Any) -> None:
    """The socket's path can be read off the process list, so reaching it is not enough."""
    url = running.database_url
    without = url.replace(url[url.index("tokenok:") : url.index("@")], "tokenok")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(without)


def test_secrets_are_private(running: Any) -> None:
    """Nothing in the data root can be read by others."""
    for path in (running.data_root).iterdir():
        open_to_others = stat.S_IMODE(path.stat().st_mode) & 0o077
        assert not open_to_others, path


def test_no_rule_trusts_anybody(running: Any) -> None:
    """Every line of the access rules asks for the password."""
    rules = (running.data_root / "postgres-18" / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
