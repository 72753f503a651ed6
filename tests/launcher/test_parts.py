"""The parts of `tokenok up` that need no process."""

import argparse
import codeop
import io
import json
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.embedded import Endpoints
from adapters.sealing.keys import parse_seal_keys
from adapters.vault.master_keys import key_file_fault, parse_master_keys
from domain.sealing.notes import receipts_name
from launcher import options as up_options
from launcher.banner import banner
from launcher.child import Child, back_off_s
from launcher.errors import UpError
from launcher.options import UpOptions, data_root
from launcher.plan import ChildSpec
from launcher.ready import listen, origin_of, write_ready_file
from launcher.screen import Screen
from launcher.secrets import (
    Demo,
    ensure_master_key,
    ensure_seal_keys,
    master_key_path,
    remember_demo,
    seal_environment,
)
from settings import from_environment

DEMO = Demo(
    account_id="a1",
    api_key="key",
    operator_token="operator",
    credits_nano=1_234_500_000_000,
    operator_email="admin@localhost",
    operator_password="pass-o",
    member_email="customer@localhost",
    member_password="pass-m",
)


@dataclass
class Seed:
    account_id: str = "a1"
    api_key: str = ""
    operator_token: str = ""
    credits_nano: int = 1
    operator_email: str = "admin@localhost"
    operator_password: str = ""
    member_email: str = "customer@localhost"
    member_password: str = ""


def parsed(*words: str) -> UpOptions:
    parser = argparse.ArgumentParser()
    up_options.add_arguments(parser)
    return up_options.from_namespace(parser.parse_args(words))


def test_options() -> None:
    """The defaults serve this machine only; every option arrives."""
    assert parsed() == UpOptions()
    assert UpOptions().host == "127.0.0.1"
    words = "--port 0 --host ::1 --data d --gateways 3 --ready-file r --reset --yes --no-demo"
    assert parsed(*words.split()) == UpOptions(
        host="::1",
        port=0,
        data=Path("d"),
        gateways=3,
        ready_file=Path("r"),
        is_reset=True,
        is_confirmed=True,
        with_demo=False,
    )


@pytest.mark.parametrize("words", ["--port 65536", "--port -1", "--port x", "--gateways 0", "--gateways 65"])
def test_bad_options(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They are refused before anything starts."""
    with pytest.raises(SystemExit):
        parsed(*words.split())
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err


def test_where_the_data_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, then the setting, then the checkout, then the user's own directory."""
    home = {"HOME": str(tmp_path / "home")}
    assert data_root(tmp_path / "x", configured="/y", environ=home) == tmp_path / "x"
    assert data_root(None, configured="/y", environ=home) == Path("/y")
    monkeypatch.setattr(up_options, "_CHECKOUT", tmp_path)
    assert data_root(None, configured="", environ=home) == tmp_path / "home" / ".local" / "share" / "tokenok"
    assert data_root(None, configured="", environ={**home, "XDG_DATA_HOME": "/d"}) == Path("/d/tokenok")
    (tmp_path / "run").touch()
    assert data_root(None, configured="", environ=home) == tmp_path / ".tokenok"


def test_the_checkout_is_where_the_run_script_is() -> None:
    """So that `./run up` keeps its data beside itself, wherever it was called from."""
    assert (up_options._CHECKOUT / "run").is_file()


def test_back_off() -> None:
    """At once, then doubling, and never longer than half a minute."""
    assert [back_off_s(failures) for failures in range(1, 10)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert back_off_s(10_000) == 30


def test_a_child_that_keeps_ending_is_started_ever_later(tmp_path: Path) -> None:
    """The delay grows with each end in a row, and is forgotten after a healthy minute."""
    spec = ChildSpec(name="c", command=(sys.executable, "-c", "raise SystemExit({code})"))
    child = Child(spec, name="c", environment={}, logs=tmp_path, values={"code": "3"})
    child.start(now=0)
    now, delays = 0.0, []
    for _ in range(4):
        said = ended(child, now=now)
        assert said.startswith("c ended with exit code 3; it ")
        delays.append(back_off_s(child.failures))
        now += delays[-1]
        if delays[-1]:
            assert child.tick(now=now - 0.01) is None
            assert child.pid is None
        assert child.tick(now=now) is None
        assert child.pid is not None
    assert delays == [0, 0.5, 1, 2]
    assert "it was started again" in ended(child, now=now + 61)
    child.kill()


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    """Its own children are in its process group, and would otherwise go on beside the next one."""
    spawn = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid)"
    spec = ChildSpec(name="c", command=(sys.executable, "-c", spawn))
    child = Child(spec, name="c", environment={}, logs=tmp_path, values={})
    child.failures = 5  # so that it is not started again at once
    child.start(now=0)
    ended(child, now=0)
    state = Path(f"/proc/{child.log_tail()}/stat")
    deadline = time.monotonic() + 60
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline


def ended(child: Child, *, now: float) -> str:
    """What is said once the process has ended."""
    while True:
        said = child.tick(now=now)
        if said:
            return said


def test_a_child_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """Its program is gone for a moment, as in an upgrade: said, and tried later."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    child = Child(
        ChildSpec(name="c", command=(str(program),)), name="c", environment={}, logs=tmp_path, values={}
    )
    child.start(now=0)
    program.rename(tmp_path / "aside")
    assert "c cannot be started: No such file or directory" in ended(child, now=0)
    (tmp_path / "aside").rename(program)
    assert child.tick(now=0.4) is None
    assert child.pid is None
    assert child.tick(now=0.5) is None
    assert child.pid is not None
    child.kill()


def test_a_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit the newest half is kept beside it, and the file begins anew."""
    monkeypatch.setattr("launcher.child._LOG_BYTES_MAX", 100)
    spec = ChildSpec(name="c", command=(sys.executable, "-c", "print('fresh')"))
    (tmp_path / "c.log").write_text("o" * 100 + "n" * 50)
    child = Child(spec, name="c", environment={}, logs=tmp_path, values={})
    child.failures = 5  # so that it is not started again at once
    child.start(now=0)
    ended(child, now=0)
    assert (tmp_path / "c.old.log").read_text() == "n" * 50
    assert (tmp_path / "c.log").read_text() == "fresh\n"
    assert child.log_tail() == "fresh"


def test_the_master_key_is_made_once(tmp_path: Path) -> None:
    """As the vault wants it, private, random, and kept."""
    assert ensure_master_key(tmp_path)
    path = master_key_path(tmp_path)
    text = path.read_text()
    parse_master_keys(text)
    assert key_file_fault(path) is None
    assert not ensure_master_key(tmp_path)
    assert path.read_text() == text
    (tmp_path / "other").mkdir()
    ensure_master_key(tmp_path / "other")
    assert master_key_path(tmp_path / "other").read_text() != text


def test_the_keys_of_the_sealed_log_are_made_once(tmp_path: Path) -> None:
    """Private, of one name, kept, and found by the settings that the processes get."""
    ensure_seal_keys(tmp_path)
    settings = from_environment(seal_environment(tmp_path))
    log, receipts = parse_seal_keys(settings.seal_key), parse_seal_keys(settings.receipt_key)
    assert log.signer is not None
    assert receipts.signer is not None
    assert receipts.public[0].name == receipts_name(log.public[0].name)
    assert key_file_fault(tmp_path / "seal.key") is None
    assert key_file_fault(tmp_path / "receipt.key") is None
    ensure_seal_keys(tmp_path)
    assert from_environment(seal_environment(tmp_path)) == settings


def test_demo_secrets_are_remembered(tmp_path: Path) -> None:
    """The database cannot tell them again; the file can, to its owner only."""
    told = remember_demo(tmp_path, Seed(api_key="k", operator_token="o"))
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert remember_demo(tmp_path, Seed()) == told
    assert remember_demo(tmp_path, Seed(api_key="k2")).api_key == "k2"
    assert remember_demo(tmp_path, Seed()).operator_token == "o"


def test_secrets_are_not_in_what_a_traceback_shows() -> None:
    """Whatever prints one of these objects prints neither key nor password."""
    shown = repr(DEMO) + repr(Endpoints(database_url="postgresql://u:password@h/d"))
    assert not any(secret in shown for secret in ("'key'", "'operator'", "pass-o", "pass-m", "password"))


def test_another_accounts_secrets_are_not_shown(tmp_path: Path) -> None:
    """A database with another demo account does not know the remembered key."""
    remember_demo(tmp_path, Seed(api_key="k", operator_token="o"))
    assert remember_demo(tmp_path, Seed(account_id="a2")).api_key == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"api_key": "k"}'])
def test_a_damaged_memory_is_no_obstacle(tmp_path: Path, content: str) -> None:
    """It is written anew."""
    (tmp_path / "demo.json").write_text(content)
    assert remember_demo(tmp_path, Seed(api_key="k")).api_key == "k"


def shown(demo: Demo, *, data: Path | None = None) -> str:
    return banner(origin="http://h:1", console="http://h:2", demo=demo, model="m", logs=Path("/l"), data=data)


def test_the_banner_can_be_pasted() -> None:
    """Nothing of the requests is indented, the body is JSON, and Python takes its part as a file and line by line."""
    text = shown(DEMO)
    assert "\ncurl http://h:1/v1/chat/completions \\\n" in text
    body = text[text.index("-d '") + 4 : text.index("'\n\nThe same")]
    assert json.loads(body)["model"] == "m"
    assert "1,234.50 demo credits" in text
    for told in ("http://h:2/", "admin@localhost   pass-o", "customer@localhost   pass-m"):
        assert told in text
    snippet = text[text.index("from openai") : text.index("print()") + len("print()")]
    compile(snippet, "banner", "exec")
    prompt, waiting = codeop.CommandCompiler(), ""
    for line in snippet.splitlines():
        waiting = f"{waiting}\n{line}" if waiting else line
        waiting = waiting if prompt(waiting) is None else ""
    assert waiting == ""


def test_the_banner_names_data_in_an_unusual_place() -> None:
    """So that the commands in it work as printed, and without it they are short."""
    assert "\n./run ledger verify\n" in shown(DEMO)
    assert "\n./run ledger verify --data '/a b'\n" in shown(DEMO, data=Path("/a b"))


def test_where_mails_are_is_told_while_none_are_sent() -> None:
    """Nobody could follow the link in one otherwise."""
    assert "Mails are" not in shown(DEMO)
    for demo in (DEMO, None):
        text = banner(
            origin="", console="", demo=demo, model="m", logs=Path("/l"), data=None, mails=Path("/m")
        )
        assert "Mails are not sent but written to /m" in text


def test_a_key_that_nobody_can_tell_is_not_printed_as_empty() -> None:
    """Its loss and the way out are said instead."""
    text = shown(Demo(account_id="a", api_key="", operator_token="", credits_nano=1))
    assert "--reset" in text
    assert "curl" not in text


def test_a_plain_screen_without_unicode() -> None:
    """An ASCII terminal or pipe gets ASCII, and no control characters."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    screen = Screen(out, is_terminal=False)
    with screen.step("Postgres") as step:
        step.detail = "18"
    with pytest.raises(ValueError, match="no"), screen.step("Valkey"):
        raise ValueError("no")
    screen.notice("careful")
    out.flush()
    lines = raw.getvalue().decode().splitlines()
    assert lines[0].startswith("  ok Postgres")
    assert lines[1] == "  !! Valkey"
    assert lines[2] == "  ! careful"
    out.close()


def test_addresses_as_a_client_writes_them() -> None:
    """A wildcard is no address to go to, and IPv6 needs brackets."""
    with listen("0.0.0.0", 0) as every:
        assert origin_of(every) == f"http://127.0.0.1:{every.getsockname()[1]}"
    try:
        six = listen("::1", 0)
    except UpError:
        pytest.skip("this machine has no IPv6")
    with six:
        assert origin_of(six) == f"http://[::1]:{six.getsockname()[1]}"


def test_the_ready_file(tmp_path: Path) -> None:
    """Private and whole, null for what there is not."""
    path = tmp_path / "ready.json"
    write_ready_file(
        path, origin="http://h:1", console="http://h:2", demo=DEMO, way_in="", database_url="postgresql://x"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "base_url": "http://h:1/v1",
        "console_url": "http://h:2/",
        "api_key": "key",
        "account_id": "a1",
        "operator_token": "operator",
        "operator_email": "admin@localhost",
        "operator_password": "pass-o",
        "member_email": "customer@localhost",
        "member_password": "pass-m",
        "first_sign_in_url": None,
        "database_url": "postgresql://x",
    }
    write_ready_file(
        path, origin="http://h:1", console="http://h:2", demo=None, way_in="/join/x", database_url=""
    )
    assert json.loads(path.read_text())["api_key"] is None
    assert json.loads(path.read_text())["first_sign_in_url"] == "http://h:2/join/x"
    assert [entry.name for entry in tmp_path.iterdir()] == ["ready.json"]
