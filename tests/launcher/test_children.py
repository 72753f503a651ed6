"""How `tokenok up` keeps its processes, on servers that are given to it."""

import http.client
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Launch = Callable[..., Any]
Ended = Callable[[int], Callable[[], None]]
Given = dict[str, str]


def test_given_servers_are_used(launch: Launch, scratch: Path, given: Given) -> None:
    """With both addresses set nothing is embedded; the children get them, and the data root is still locked."""
    up = launch(**given).wait_ready()
    assert {Path(command.split()[1]).name for command in up.descendants().values()} == {
        "console.py",
        "gateway.py",
        "sandbox.py",
        "worker.py",
    }
    environment = json.loads((scratch / "data" / "worker.json").read_text())
    assert {name: environment[name] for name in given} == given
    assert environment["TOKENOK_DATA"] == str(scratch / "data")
    assert Path(environment["TOKENOK_MASTER_KEY_FILE"]).is_file()
    second = launch(**given)
    assert second.finish() == 1
    assert "another Tokenok process" in second.output


def test_a_crashed_child_is_started_again(launch: Launch, ended: Ended, given: Given) -> None:
    """It is said, and the same port serves again by another process."""
    up = launch(**given).wait_ready()
    first = up.pid_of("gateway.py")
    gone = ended(first)
    os.kill(first, signal.SIGKILL)
    gone()
    said = up.read_until("gateway was ended by SIGKILL")
    assert "it was started again" in said
    assert up.get("/readyz") != str(first)


@pytest.mark.slow
def test_the_sandbox_comes_back_where_it_was(launch: Launch, scratch: Path, given: Given) -> None:
    """The catalogue names its address, so a new port would cut the demo off."""
    up = launch(**given).wait_ready()
    ready_file = scratch / "data" / "run" / "sandbox.json"
    before = json.loads(ready_file.read_text())
    os.kill(before["pid"], signal.SIGKILL)
    up.read_until("sandbox was ended by SIGKILL")
    while (after := json.loads(ready_file.read_text()))["pid"] == before["pid"]:
        up.get("/readyz")
    assert after["base_url"] == before["base_url"]


def test_a_child_that_cannot_start_ends_the_start(launch: Launch, given: Given) -> None:
    """After three tries the end of its log is shown, everything is stopped, and the exit status is 1."""
    up = launch(**given, STANDIN_BROKEN="gateway")
    assert up.finish() == 1
    assert "gateway does not start" in up.output
    assert "the gateway has no idea what to do" in up.output
    assert "Traceback" not in up.output
    assert not up.ready_file.exists()


@pytest.mark.slow
def test_several_gateways_share_the_socket(launch: Launch, given: Given) -> None:
    """Each of them takes connections from the one address; with one gone, the others go on."""
    up = launch("--gateways", "3", **given).wait_ready()
    gateways = [pid for pid, command in up.descendants().items() if "gateway.py" in command]
    assert len(gateways) == 3
    for pid in gateways[:2]:
        os.kill(pid, signal.SIGSTOP)
    try:
        # A stopped process may have been given a connection by the kernel; the third answers all others.
        assert up.get("/readyz") == str(gateways[2])
    finally:
        for pid in gateways[:2]:
            os.kill(pid, signal.SIGCONT)


def test_a_request_in_flight_is_finished(launch: Launch, scratch: Path, given: Given) -> None:
    """Told to stop, a gateway answers what it has begun before anything is taken away from it."""
    up = launch(**given, STANDIN_HELD=str(scratch / "held-now")).wait_ready()
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(up.get("/hold")))
    gateway = str(up.pid_of("gateway.py"))
    client.start()
    while not (scratch / "held-now").exists():
        up.get("/readyz")
    assert up.stop() == 0
    client.join()
    assert answers == [gateway]


@pytest.mark.slow
def test_a_second_signal_does_not_wait(launch: Launch, scratch: Path, given: Given, ended: Ended) -> None:
    """A child that does not come to an end is ended at once when asked twice."""
    up = launch(
        **given, STANDIN_HELD=str(scratch / "held-now"), STANDIN_HOLD_S="3600", DRAIN_S="3600"
    ).wait_ready()
    gone = ended(up.pid_of("gateway.py"))
    cut_off: list[str] = []

    def ask() -> None:
        try:
            up.get("/hold")
        except (OSError, http.client.HTTPException) as error:
            cut_off.append(type(error).__name__)

    client = threading.Thread(target=ask)
    client.start()
    while not (scratch / "held-now").exists():
        up.get("/readyz")
    up.process.send_signal(signal.SIGTERM)
    up.read_until("Stopping")
    up.process.send_signal(signal.SIGTERM)
    assert up.finish() == 0
    gone()
    client.join()
    assert cut_off


def test_processes_of_an_earlier_start_are_ended(launch: Launch, scratch: Path, given: Given) -> None:
    """What carries this data root's mark is a leftover; what carries another's, or none, is not touched."""
    (scratch / "data").mkdir()
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    marks = [{"TOKENOK_SUPERVISED_BY": str(scratch / "data")}, {"TOKENOK_SUPERVISED_BY": "/elsewhere"}, {}]
    processes = [
        subprocess.Popen(command, env=mark, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for mark in marks
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    up = launch(**given).wait_ready()
    assert "1 processes of an earlier start" in up.output
    assert [process.poll() for process in processes] == [-signal.SIGTERM, None, None]
    for process in processes:
        process.communicate()


def test_a_taken_port_is_said(launch: Launch, given: Given) -> None:
    """One sentence that names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = launch("--port", str(port), **given)
        assert up.finish() == 1
    assert f"port {port} on 127.0.0.1 is taken: choose another with --port" in up.output
    assert "Traceback" not in up.output


def test_a_fatal_finding_stops_the_start(launch: Launch, given: Given) -> None:
    """What the doctor finds is printed, one line each, and nothing is started."""
    up = launch(**given, POSTGRES_ENABLE_DB_FUNCTIONS="y")
    assert up.finish() == 1
    assert "unset POSTGRES_ENABLE_DB_FUNCTIONS" in up.output
    assert "Gateway" not in up.output


def test_without_the_demo(launch: Launch, given: Given) -> None:
    """No sandbox, no key: the ready file says null. Instead there is a way in for whoever runs it."""
    up = launch("--no-demo", **given).wait_ready()
    assert not any("sandbox.py" in command for command in up.descendants().values())
    assert (up.ready["api_key"], up.ready["account_id"], up.ready["operator_token"]) == (None, None, None)
    assert "curl" not in up.output
    link = up.ready["first_sign_in_url"]
    assert link == f"{up.ready['console_url']}join/first"
    assert f"{link}\n" in up.output


@pytest.mark.slow
def test_a_given_key_is_used(launch: Launch, scratch: Path, given: Given) -> None:
    """With a master key of the operator's own, none is made."""
    key = "k9:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    launch(**given, TOKENOK_MASTER_KEY=key).wait_ready()
    assert not (scratch / "data" / "master.key").exists()


def test_a_lost_key_of_a_sealed_log_is_not_replaced(launch: Launch, scratch: Path, given: Given) -> None:
    """A new key would not be believed about what the old one has signed."""
    (scratch / "data" / "seal").mkdir(parents=True)
    up = launch(**given)
    assert up.finish() == 1
    assert "seal.key is gone" in up.output
    assert not (scratch / "data" / "seal.key").exists()


def test_reset_without_a_terminal(launch: Launch, scratch: Path) -> None:
    """There is nobody to ask, so nothing is deleted."""
    (scratch / "data").mkdir()
    (scratch / "data" / "master.key").write_text("precious")
    up = launch("--reset")
    assert up.finish() == 1
    assert "add --yes" in up.output
    assert (scratch / "data" / "master.key").read_text() == "precious"


def test_reset_of_a_given_database(launch: Launch, scratch: Path, given: Given) -> None:
    """It is not ours to delete, and deleting the key alone would make its credentials unreadable."""
    (scratch / "data").mkdir()
    (scratch / "data" / "master.key").write_text("precious")
    up = launch("--reset", "--yes", **given)
    assert up.finish() == 1
    assert "DATABASE_URL names another one" in up.output
    assert (scratch / "data" / "master.key").read_text() == "precious"


def test_on_a_terminal(scratch: Path, given: Given) -> None:
    """A tick list that redraws itself; a reset asks, and anything but yes leaves all as it is."""
    (scratch / "data").mkdir()
    key_file = scratch / "data" / "master.key"
    key_file.write_text("precious")
    script = Path(__file__).parent / "standins" / "up_standin.py"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "PYTHONIOENCODING": "utf-8",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "NO_COLOR"):
        environment.pop(name, None)
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = [sys.executable, str(script), "--data", str(scratch / "data"), "--port", "0", "--reset"]
        os.execve(sys.executable, arguments, environment)
    os.write(terminal, b"no\n")
    said = _read_all(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert "for good. Go on? [y/N]" in said
    assert "nothing was deleted" in said
    assert key_file.read_text() == "precious"
    key_file.unlink()
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = [sys.executable, str(script), "--data", str(scratch / "data"), "--port", "0"]
        os.execve(sys.executable, arguments, {**environment, **given})
    said = _read_all(terminal, until="Ctrl-C stops everything")
    assert "\x1b[32m✓\x1b[0m Sandbox provider" in said
    os.write(terminal, b"\x03")
    said = _read_all(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "Stopped." in said


def _read_all(terminal: int, until: str = "") -> str:
    said = b""
    while not until or until.encode() not in said:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other end was closed
            os.close(terminal)
            break
    return said.decode()
