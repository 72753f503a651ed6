"""The process: arguments, files, signals, the journal's file and ring."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import QUESTION, Start
from tests.sandbox.rawclient import connect, request_bytes

ASK: dict[str, Any] = {"model": "sandbox-fast", "messages": QUESTION}


def journal_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_ready_file_names_the_process_and_its_address(start_sandbox: Start) -> None:
    """Written when requests are served; a fresh sandbox answers at once."""
    running = start_sandbox("--host", "127.0.0.1", "--port", "0")
    assert running.pid == running.process.pid
    assert running.base_url == f"http://127.0.0.1:{running.address[1]}/v1"
    assert running.chat().status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_answers_under_way(
    start_sandbox: Start, tmp_path: Path, number: int
) -> None:
    """Exit code 0 and nothing on stderr; what hung is journalled as incomplete."""
    running = start_sandbox("--journal", str(tmp_path / "journal"))
    asked = {**ASK, "metadata": {"sandbox": '{"fault":"hang_before_body"}'}}
    with connect(running.address) as sock:
        sock.sendall(request_bytes("POST", "/v1/chat/completions", json.dumps(asked).encode()))
        assert sock.recv(1) == b"H"
        running.process.send_signal(number)
        assert running.process.wait(timeout=60) == 0
    accepted, served = journal_lines(tmp_path / "journal")
    assert (accepted["fault"], served["complete"], served["id"]) == (
        "hang_before_body",
        False,
        accepted["id"],
    )


def test_the_journal_file_survives_kill_9(start_sandbox: Start, tmp_path: Path) -> None:
    """Each line is written before the next step: an answer seen has both lines, a hanging one its first."""
    path = tmp_path / "journal"
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--ready-file",
        str(tmp_path / "ready"),
        "--journal",
        str(path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        port = int(json.loads((tmp_path / "ready").read_text())["base_url"].split(":")[2].split("/")[0])
        for script in ("{}", '{"fault":"hang_before_body"}'):
            with connect(("127.0.0.1", port)) as sock:
                asked = {**ASK, "metadata": {"ref": script, "sandbox": script}}
                sock.sendall(request_bytes("POST", "/v1/chat/completions", json.dumps(asked).encode()))
                assert sock.recv(1) == b"H"
                if script != "{}":
                    process.kill()
    events = [(line["ref"], line["event"]) for line in journal_lines(path)]
    assert events[:2] == [("{}", "accepted"), ("{}", "served")]
    assert events[2] == ('{"fault":"hang_before_body"}', "accepted")


def test_the_journal_file_is_appended_to_and_private(start_sandbox: Start, tmp_path: Path) -> None:
    """A second process continues the file; only its owner may read it; it says what the ring says."""
    path = tmp_path / "journal"
    for _ in range(2):
        running = start_sandbox("--journal", str(path))
        running.chat()
        ring = running.journal()
        running.process.terminate()
        running.process.wait(timeout=60)
    lines = journal_lines(path)
    assert len(lines) == 4
    assert lines[2:] == ring
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_ring_is_bounded_paged_and_can_be_emptied(start_sandbox: Start) -> None:
    """Old lines go first and are counted as missing; `next` continues a page; numbers go on after emptying."""
    running = start_sandbox("--journal-lines", "10")
    for _ in range(8):
        running.chat()
    page = running.control("GET", "journal?after=0&limit=4")
    assert [line["n"] for line in page["lines"]] == [7, 8, 9, 10]
    assert (page["missing"], page["next"], page["last"]) == (6, 10, 16)
    rest = running.control("GET", f"journal?after={page['next']}")
    assert [line["n"] for line in rest["lines"]] == [11, 12, 13, 14, 15, 16]
    assert running.control("GET", "journal?after=16")["lines"] == []
    running.control("DELETE", "journal")
    running.chat()
    assert [line["n"] for line in running.journal()] == [17, 18]


@pytest.mark.parametrize("by_file", [False, True])
def test_another_key_is_refused_everywhere(start_sandbox: Start, tmp_path: Path, by_file: bool) -> None:
    """401 in OpenAI's shape on `/v1` and on the control endpoints; the right key works."""
    (tmp_path / "key").write_text("sk-right\n")
    running = start_sandbox(
        *(("--api-key-file", str(tmp_path / "key")) if by_file else ("--api-key", "sk-right"))
    )
    for key in ("sk-wrong", "", "sk-righ", "sk-right2", "sk-r\xefght"):
        for method, path in (
            ("POST", "/v1/chat/completions"),
            ("GET", "/v1/models"),
            ("GET", "/_sandbox/journal"),
        ):
            answer = running.send(method, path, ASK, headers={"authorization": f"Bearer {key}"})
            assert answer.status == 401
            assert answer.json["error"]["code"] == "invalid_api_key"
            assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    running.key = "sk-right"
    assert running.chat().status == 200
    assert {line["status"] for line in running.journal() if line["event"] == "served"} == {401, 200}


def test_a_port_in_use_and_a_missing_vocabulary_are_named(start_sandbox: Start, tmp_path: Path) -> None:
    """One line on stderr, exit code 1, no ready file."""
    taken = start_sandbox().address[1]
    for arguments, environment in ((["--port", str(taken)], {}), ([], {"TIKTOKEN_CACHE_DIR": str(tmp_path)})):
        ready = tmp_path / "ready"
        command = [sys.executable, "-m", "sandbox", "--ready-file", str(ready), *arguments]
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, timeout=60
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith("sandbox: ")
        assert ended.stderr.count("\n") == 1
        assert not ready.exists()


def test_it_imports_nothing_of_the_product() -> None:
    """It judges the product, so it must not share its mistakes: no other package of ours, few of others."""
    program = "import sys, sandbox.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    listed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {"domain", "application", "adapters", "projections", "api", "settings", "bootstrap", "cli"}
    assert not ours & set(listed)
    assert {"uvloop", "httptools", "msgspec", "tiktoken"} <= set(listed)
