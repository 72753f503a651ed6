"""What a killed run leaves behind, and the rule over it: nothing is signalled that is not proven ours."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.embedded import StartFailed, leftover, procfs
from adapters.embedded.pdeathsig import die_with_parent

Start = Callable[..., Any]
EndOf = Callable[[int], Callable[[], None]]


@contextmanager
def sleeper() -> Iterator[subprocess.Popen[str]]:
    """A process that has nothing to do with us."""
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    try:
        yield process
    finally:
        process.communicate()


def cluster_of(data_root: Path) -> Path:
    (cluster,) = data_root.glob("postgres-1?")
    return cluster


def write_pid_file(cluster: Path, pid: int) -> None:
    (cluster / "postmaster.pid").write_text(f"{pid}\n{cluster}\n1700000000\n5432\n/tmp\n\n")


def test_a_stale_pid_of_an_unrelated_process(start: Start, scratch: Path) -> None:
    """The number was reused, as after a container's restart: we start, and that process is not touched."""
    start(None, "--only", "postgres").stop()
    with sleeper() as unrelated:
        write_pid_file(cluster_of(scratch / "data"), unrelated.pid)
        app = start(None, "--only", "postgres")
        assert app.pids["Postgres"] != unrelated.pid
        app.stop()
        assert unrelated.poll() is None


def test_a_zombie_postmaster(start: Start, scratch: Path) -> None:
    """A first process that reaps nobody leaves zombies; one is neither alive nor waited for."""
    start(None, "--only", "postgres").stop()
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and its status stays unasked for
    write_pid_file(cluster_of(scratch / "data"), zombie.pid)
    assert start(None, "--only", "postgres").pids
    zombie.wait()


@pytest.mark.parametrize("content", ["", "not a number\n", "-1\n", "1\n", "99999999999999999999\n"])
def test_an_unreadable_pid_file(tmp_path: Path, content: str) -> None:
    """It is removed, and nobody is signalled: neither group -1 nor the first process."""
    (tmp_path / "postmaster.pid").write_text(content)
    leftover.settle_postmaster(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_live_postmaster_of_ours_is_asked_to_stop(start: Start, scratch: Path, end_of: EndOf) -> None:
    """The application died and its Postgres did not: one SIGINT, then the start goes on."""
    first = start(None, "--only", "postgres")
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept (value int)")
    pid = first.pids["Postgres"]
    gone = end_of(pid)
    os.kill(pid, signal.SIGSTOP)  # it hears of its parent's death only when it is let go again
    first.kill_at_once()
    assert procfs.is_postmaster_of(pid, cluster_of(scratch / "data"))
    resume = threading.Timer(0.5, os.kill, (pid, signal.SIGCONT))
    resume.start()
    second = start(None, "--only", "postgres")
    gone()
    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@pytest.mark.slow
def test_a_postmaster_that_does_not_stop_is_named(start: Start, scratch: Path) -> None:
    """After a bounded wait the start fails with its number; its pid file is left alone."""
    app = start(None, "--only", "postgres")
    pid, cluster = app.pids["Postgres"], cluster_of(scratch / "data")
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StartFailed, match=f"process {pid}"):
            leftover.settle_postmaster(cluster, wait_s=0.1)
        assert (cluster / "postmaster.pid").exists()
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_busy_backend_that_outlives_its_postmaster(start: Start, end_of: EndOf) -> None:
    """kill -9 of the postmaster leaves a computing backend: it is asked to end, and the start succeeds."""
    first = start(None, "--only", "postgres")
    gone = [end_of(pid) for pid in first.pids.values()]
    with busy_backend(first.database_url) as backend:
        ended = end_of(backend)
        os.kill(first.pids["Postgres"], signal.SIGKILL)
        first.kill_at_once()
        for wait in gone:
            wait()
        os.kill(backend, 0)  # it lives on
        second = start(None, "--only", "postgres")
        ended()
    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@contextmanager
def busy_backend(url: str) -> Iterator[int]:
    """A backend that computes without end, and never looks whether its postmaster lives."""

    def compute() -> None:
        with suppress(psycopg.OperationalError):  # it is killed from outside in every use
            connection.execute("DO $$ BEGIN RAISE NOTICE 'on it'; LOOP END LOOP; END $$")

    started = threading.Event()
    connection = psycopg.connect(url, autocommit=True)
    connection.add_notice_handler(lambda _: started.set())
    worker = threading.Thread(target=compute)
    worker.start()
    try:
        assert started.wait(60)
        process = os.pidfd_open(connection.info.backend_pid)
        try:
            yield connection.info.backend_pid
        finally:
            with suppress(ProcessLookupError):  # as it should be; otherwise it would compute for ever
                signal.pidfd_send_signal(process, signal.SIGKILL)
            os.close(process)
    finally:
        worker.join(60)
        connection.close()


def test_a_shell_in_the_data_directory_is_not_a_server(tmp_path: Path) -> None:
    """A process is ours by its program and its directory together, not by one of them."""
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", "-D", str(tmp_path)]
    visitor = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert visitor.stdout
    visitor.stdout.readline()
    assert procfs.serving(tmp_path, program="postgres") == []
    assert not procfs.is_postmaster_of(visitor.pid, tmp_path)
    visitor.communicate()


def test_only_the_main_thread_may_start_servers() -> None:
    """The kernel's death signal follows the thread, so another thread's end would stop the database."""
    refused: list[str] = []

    def arm() -> None:
        try:
            die_with_parent(signal.SIGINT)
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=arm)
    thread.start()
    thread.join()
    assert refused
    assert "main thread" in refused[0]
