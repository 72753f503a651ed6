"""Presence on a real Postgres: who holds a lock, who is silent, who is dead."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from adapters.presence import PostgresPresence, PresenceKeeper, lock_key_of
from domain.ids import uuid7
from domain.ledger.events import Owner

SCHEMA = Path(__file__).parents[2] / "src/adapters/eventstore/migrations/0005_presence.sql"
HOLDER = """
import sys, time, uuid
from adapters.presence import PresenceKeeper
from domain.ledger.events import Owner
PresenceKeeper(sys.argv[1], owner=Owner(uuid.UUID(sys.argv[2]), 1), lease_valid_s=4).start()
print("announced", flush=True)
time.sleep(600)
"""


@pytest.fixture
def presence_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SCHEMA.read_bytes())
    return database_url


def test_a_process_is_alive_while_it_keeps_its_lock_and_dead_after(presence_url: str) -> None:
    """The lock is seen while the keeper runs, and gone when it has closed."""
    owner = Owner(uuid7(), 7)
    keeper = PresenceKeeper(presence_url, owner=owner, lease_valid_s=4)
    looker = PostgresPresence(presence_url, lease_valid_s=4)
    keeper.start()
    alive = looker.liveness([owner.instance_id])[owner.instance_id]
    assert (alive.owner, alive.has_lock) == (owner, True)
    assert 0 <= alive.silent_s < 60
    assert looker.live_gateways() == 1
    keeper.close()
    assert not looker.liveness([owner.instance_id])[owner.instance_id].has_lock
    looker.close()


def test_a_killed_process_loses_its_lock_at_once(presence_url: str) -> None:
    """Kill -9 drops the connection, and with it the lock; nobody has to time anything out."""
    instance_id = uuid7()
    command = [sys.executable, "-c", HOLDER, presence_url, str(instance_id)]
    looker = PostgresPresence(presence_url, lease_valid_s=4)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "announced\n"
        assert looker.liveness([instance_id])[instance_id].has_lock
        holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while looker.liveness([instance_id])[instance_id].has_lock:
        assert time.monotonic() < deadline, "the lock outlived its process"
    looker.close()


def test_an_unknown_instance_is_not_reported(presence_url: str) -> None:
    """Who never announced itself is missing from the answer, so the reaper treats it as dead."""
    looker = PostgresPresence(presence_url, lease_valid_s=4)
    assert looker.liveness([uuid7()]) == {}
    looker.close()


def test_a_cut_connection_is_taken_up_again(presence_url: str) -> None:
    """After the server ends the session, the keeper announces itself and locks anew."""
    owner = Owner(uuid7(), 1)
    keeper = PresenceKeeper(presence_url, owner=owner, lease_valid_s=0.4)
    looker = PostgresPresence(presence_url, lease_valid_s=4)
    keeper.start()
    locked = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s"
    key = (lock_key_of(owner.instance_id) & 0xFFFFFFFF,)
    with psycopg.connect(presence_url, autocommit=True) as admin:
        [(first,)] = admin.execute(locked, key).fetchall()
        admin.execute("SELECT pg_terminate_backend(%s)", (first,))
        deadline = time.monotonic() + 30
        while admin.execute(locked, key).fetchall() in ([], [(first,)]):
            assert time.monotonic() < deadline, "the lock was not taken again"
    assert looker.liveness([owner.instance_id])[owner.instance_id].has_lock
    keeper.close()
    looker.close()
