"""`tokenok up` from outside, with its own real servers."""

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

Launch = Callable[..., Any]
Ended = Callable[[int], Callable[[], None]]


def test_it_serves_and_says_how_to_use_it(launch: Launch, scratch: Path) -> None:
    """Addresses, login, key, a curl line and a snippet are printed; the ready file holds the same, for its owner."""
    up = launch().wait_ready()
    ready = up.ready
    assert set(ready) == {
        "base_url",
        "console_url",
        "api_key",
        "account_id",
        "operator_token",
        "operator_email",
        "operator_password",
        "member_email",
        "member_password",
        "first_sign_in_url",
        "database_url",
    }
    assert stat.S_IMODE(up.ready_file.stat().st_mode) == 0o600
    for value in (ready["base_url"], ready["console_url"], ready["api_key"], ready["operator_token"]):
        assert value in up.output
    assert f"curl {ready['base_url']}/chat/completions \\\n" in up.output
    assert f'client = OpenAI(base_url="{ready["base_url"]}", api_key="{ready["api_key"]}")\n' in up.output
    assert "25.00 demo credits" in up.output
    assert "\x1b" not in up.output
    with psycopg.connect(ready["database_url"]) as connection:
        assert connection.execute("SELECT account_id FROM demo").fetchone() == (ready["account_id"],)
    assert up.get("/readyz") == str(up.pid_of("gateway.py"))
    for name in ("master.key", "demo.json", "endpoints.json"):
        assert stat.S_IMODE((scratch / "data" / name).stat().st_mode) == 0o600


def test_a_second_start_keeps_data_and_key(launch: Launch) -> None:
    """The secrets can be shown again although the database holds only their hashes."""
    first = launch().wait_ready()
    before = first.ready
    assert first.stop() == 0
    assert not first.ready_file.exists()
    second = launch().wait_ready()
    kept = ("api_key", "account_id", "operator_token", "database_url")
    assert {name: second.ready[name] for name in kept} == {name: before[name] for name in kept}
    with psycopg.connect(second.ready["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM demo").fetchone() == (1,)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_one_signal_stops_everything(launch: Launch, ended: Ended, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM: exit status 0, and no process of ours is left."""
    up = launch().wait_ready()
    below = up.descendants()
    assert len([command for command in below.values() if "standins" in command]) == 4
    waits = [ended(pid) for pid in below]
    up.process.send_signal(number)
    assert up.finish() == 0
    assert up.output.rstrip().endswith("Stopped.")
    for wait in waits:
        wait()


def test_kill_of_the_parent(launch: Launch, ended: Ended) -> None:
    """kill -9: children and servers go with it, and the next start serves the same data on the same port."""
    first = launch().wait_ready()
    port, key = first.address.rpartition(":")[2], first.ready["api_key"]
    waits = [ended(pid) for pid in first.descendants()]
    first.process.kill()
    first.finish()
    for wait in waits:
        wait()
    second = launch("--port", port).wait_ready()
    assert second.ready["api_key"] == key


@pytest.mark.slow
def test_next_start_at_once_after_a_kill(launch: Launch) -> None:
    """Nobody waits for the old processes to be gone: the start settles them."""
    first = launch().wait_ready()
    port = first.address.rpartition(":")[2]
    first.process.kill()
    second = launch("--port", port).wait_ready()
    first.finish()
    assert second.get("/readyz") == str(second.pid_of("gateway.py"))


@pytest.mark.slow
def test_killed_servers_come_back_at_the_same_address(launch: Launch) -> None:
    """kill -9 of Postgres and Valkey: both are started again, and said so; nothing else restarts."""
    up = launch().wait_ready()
    below = up.descendants()
    gateway = up.pid_of("gateway.py")
    (postgres,) = (pid for pid, command in below.items() if "bin/postgres -D" in command)
    (valkey,) = (pid for pid, command in below.items() if "valkey-server" in command)
    os.kill(postgres, signal.SIGKILL)
    os.kill(valkey, signal.SIGKILL)
    for _ in range(2):  # in either order
        up.read_until("was started again")
    with psycopg.connect(up.ready["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM demo").fetchone() == (1,)
    assert up.pid_of("gateway.py") == gateway


@pytest.mark.slow
def test_two_beside_one_another(launch: Launch) -> None:
    """Other data and another port: two instances do not meet."""
    one, two = launch(name="one"), launch(name="two")
    one.wait_ready()
    two.wait_ready()
    assert one.address != two.address
    assert one.ready["account_id"] != two.ready["account_id"]
    assert (one.stop(), two.get("/readyz")) == (0, str(two.pid_of("gateway.py")))


@pytest.mark.slow
def test_a_second_one_on_the_same_data(launch: Launch) -> None:
    """One sentence, exit status 1, no traceback; the first one and its ready file are not disturbed."""
    first = launch().wait_ready()
    second = launch()
    assert second.finish() == 1
    assert "another Tokenok process" in second.output
    assert "Traceback" not in second.output
    assert first.ready["api_key"]
    assert first.get("/readyz")


@pytest.mark.slow
def test_reset_begins_anew(launch: Launch, scratch: Path) -> None:
    """With --yes the data, keys and logs are replaced; files of others in the directory stay."""
    first = launch().wait_ready()
    before = first.ready
    first.stop()
    (scratch / "data" / "notes.txt").write_text("mine")
    key = (scratch / "data" / "master.key").read_text()
    again = launch("--reset", "--yes").wait_ready()
    assert again.ready["account_id"] != before["account_id"]
    assert (scratch / "data" / "master.key").read_text() != key
    assert (scratch / "data" / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_lost_master_key_is_not_replaced(launch: Launch, scratch: Path) -> None:
    """A new key would make every stored credential unreadable."""
    launch().wait_ready().stop()
    (scratch / "data" / "master.key").unlink()
    up = launch()
    assert up.finish() == 1
    assert "master.key is gone" in up.output
    assert not (scratch / "data" / "master.key").exists()
