"""The command line as a process of its own, on a real database."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from adapters.embedded.endpoints import Endpoints, write_endpoints
from api.admin.commands import COMMANDS
from cli import make_parser
from launcher.secrets import ensure_master_key
from projections.registry import all_projections
from tests.cli_runner import Cli, project
from tests.databases import migrated_template
from tests.waiting import until

SECRET = "sk-told-on-standard-input"


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ensure_master_key(tmp_path)
    return tmp_path


@pytest.fixture
def cli(database_url: str, data: Path) -> Cli:
    return Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(data))


def test_no_command_waits_for_what_only_servers_need() -> None:
    """Web framework, Redis and the clients of providers take longer to load than most commands take to run."""
    names = {"litestar", "redis", "dramatiq", "httpx", "uvicorn", "tiktoken", "prometheus_client", "stripe"}
    snippet = f"import sys, cli; print(sorted({names!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_from_an_account_to_its_balance(cli: Cli, database_url: str) -> None:
    """Open, grant, issue, and read the balance: the path of every script."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    granted = cli.json(
        "credit", "grant", "--account-id", account_id, "--amount-nano", "5000", "--reason", "wire"
    )
    assert granted["granted_nano"] == 5000
    key = cli.json("key", "issue", "--account-id", account_id, "--name", "Laptop", "--rpm", "60")
    assert key["secret"].startswith(key["prefix"])
    project(database_url)
    assert cli.json("balance", "show", "--account-id", account_id)["available_nano"] == 5000
    assert cli.json("requests", "list", "--account-id", account_id)["requests"] == []
    assert cli.json("usage", "show", "--month", "2026-11", "--by", "day,alias")["items"] == []
    assert cli.text("usage", "earnings", "--month", "2026-11") == "Nothing.\n"
    always = ("--from-us", "0", "--until-us", str(9 * 10**17))
    statement = cli.json("statement", "show", "--account-id", account_id, *always)
    assert [line["kind"] for line in statement["lines"]] == ["grant"]
    text = cli.text("statement", "show", "--account-id", account_id, *always)
    assert text.startswith("Opening 0\n")
    assert "Closing 0.000005, as of position" in text
    whole = cli.text("statement", "show", "--account-id", account_id, *always, "--format", "json")
    assert json.loads(whole)["closing_nano"] == 5000
    assert ",grant,5000,5000," in cli.text(
        "statement", "show", "--account-id", account_id, *always, "--format", "csv"
    )
    at = str(statement["lines"][0]["first_position"])
    explained = cli.text("explain", "statement", "--account-id", account_id, *always, "--line", at)
    assert "The parts make the figure." in explained
    assert "wallet.credit-lot-granted.v1" in explained
    assert cli.json("explain", "statement", "--account-id", account_id, *always)["amount_nano"] == 5000
    assert cli.json("explain", "books", "--name", "issued:paid")["is_right"] is True
    assert cli.run("explain", "usage", "--account-id", account_id, *always).stderr.startswith("not_found")
    acts = cli.json("audit-log", "list", "--subject", account_id)["items"]
    assert [act["topic"] for act in acts] == ["wallet.credit-lot-granted.v1", "account.opened.v1"]
    assert "granted_by" not in cli.text("audit-log", "list", "--csv")
    assert "account.opened.v1" in cli.text("audit-log", "list")
    assert cli.json("ledger", "verify")["ok"] is True
    health = cli.json("ledger", "health")
    assert (health["faults"], health["last_verification"]["ok"], health["accounts_compared"]) == ([], True, 1)
    assert cli.text("ledger", "health").startswith("Nothing is known to be wrong.\n")
    assert cli.text("balance", "holds") == "Nothing.\n"
    compared = cli.json("projections", "rebuild", "--all", "--compare")
    assert all(one["live"] == one["rebuilt"] for one in compared)


def test_a_catalogue_from_the_command_line(cli: Cli, tmp_path: Path) -> None:
    """Provider, secret from standard input, deployment, route and prices from a file; the secret is never shown."""
    provider_id = cli.json("provider", "register", "--name", "acme", "--base-url", "https://api.example.com")[
        "id"
    ]
    stored = cli.run("credential", "store", "--provider-id", provider_id, "--json", stdin=f"{SECRET}\n")
    assert stored.returncode == 0, stored.stderr
    assert SECRET not in stored.stdout + stored.stderr
    limits = ("--context-tokens", "1000", "--output-tokens-max", "100")
    credential = ("--credential-id", json.loads(stored.stdout)["id"])
    added = cli.json(
        "deployment", "add", "--provider-id", provider_id, "--upstream-model", "m", *limits, *credential
    )
    cli.json("route", "set", "--alias", "fast", "--targets", json.dumps([{"deployment_id": added["id"]}]))
    prices = tmp_path / "prices.json"
    price = {"input": "1", "cached_input": "1", "cache_write": "1", "output": "2", "request": "0"}
    prices.write_text(json.dumps({"fast": price}))
    assert cli.json("prices", "publish", "--entries", f"@{prices}", "--note", "first")["version"] == 1
    assert cli.json("master-key", "rotate")["resealed"] == 0


def test_the_database_of_up_is_found(database_url: str, data: Path) -> None:
    """Without DATABASE_URL the data root tells where the embedded one runs."""
    write_endpoints(data, Endpoints(database_url=database_url))
    found = Cli().json("account", "open", "--name", "Blue", "--data", str(data))
    assert found["version"] == 1


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("key", "issue", "--account-id", str(uuid4()), "--name", "x"), 1, "not_found"),
        (("account", "open", "--name", ""), 1, "invalid_value"),
        (("account", "close", "--account-id", "no", "--reason", "x"), 2, "invalid_argument"),
        (("route", "set", "--alias", "a", "--targets", "{"), 2, "invalid_argument"),
        (("credential", "store", "--provider-id", str(uuid4())), 2, "invalid_argument"),
        (("balance", "show", "--account-id", str(uuid4())), 1, "not_found"),
        (("requests", "list", "--state", "nonsense"), 2, "invalid_argument"),
        (("key", "issue", "--name", "x"), 2, "invalid_argument"),
        (("nonsense",), 2, "invalid_argument"),
    ],
)
def test_errors_are_one_line_with_a_code(
    cli: Cli, arguments: tuple[str, ...], status: int, code: str
) -> None:
    """What is refused, and what cannot be read, never ends in a traceback."""
    done = cli.run(*arguments)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{code}: ")


def test_scripts_get_errors_as_json(cli: Cli) -> None:
    """Whether the arguments or the rules refuse it."""
    for arguments, code in (
        (("account", "open"), "invalid_argument"),
        (("account", "open", "--name", ""), "invalid_value"),
    ):
        done = cli.run(*arguments, "--json")
        assert json.loads(done.stderr)["code"] == code


def test_a_database_that_is_away_or_not_named_is_said(data: Path) -> None:
    """1 for one that does not answer, without its password; 2 when there is none to ask."""
    away = Cli(DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x", TOKENOK_DATA=str(data))
    done = away.run("projections", "status")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "hunter2" not in done.stderr
    none = Cli(TOKENOK_DATA=str(data)).run("account", "open", "--name", "Blue")
    assert (none.returncode, none.stderr.partition(":")[0]) == (2, "invalid_setting")


def test_read_models_can_be_seen_and_rebuilt(cli: Cli) -> None:
    """Status names them all, a rebuild gives a hash, and `migrate` on a current schema applies nothing."""
    assert cli.json("migrate") == {"applied": []}
    names = [one["name"] for one in cli.json("projections", "status")]
    assert names == [one.name for one in all_projections()]
    assert cli.json("projections", "rebuild", names[0])["rows"] == 0
    assert cli.json("reap") == {"ended": []}


def test_doctor_says_what_is_wrong(cli: Cli) -> None:
    """The missing Redis is a finding with a code and a remedy, and the exit code is 1."""
    done = cli.run("doctor", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == 1
    assert all(one["code"] and one["remedy"] for one in findings)


def test_doctor_looks_at_the_key_that_up_made(cli: Cli, data: Path) -> None:
    """A key file that others may read is noted also when no setting names it."""
    (data / "master.key").chmod(0o644)
    findings = json.loads(cli.run("doctor", "--json").stdout)["findings"]
    (found,) = (one for one in findings if one["code"] == "master_key_file")
    assert found["remedy"] == f"chmod 600 {data / 'master.key'}"
    assert "\nnote   master_key_file: " in cli.run("doctor").stdout


def test_help_names_every_command() -> None:
    """`tokenok --help` needs no settings."""
    done = Cli().run("--help")
    assert done.returncode == 0
    for name in ("up", "account", "credit", "key", "prices", "ledger", "doctor"):
        assert f"    {name} " in done.stdout


def test_a_clean_ledger_is_said_so(cli: Cli, database_url: str) -> None:
    """0: words for people, and for scripts exactly one JSON value with the same figures."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    grant = ("--account-id", account_id, "--amount-nano", "5000", "--reason", "wire")
    cli.json("credit", "grant", *grant)
    project(database_url)
    text = cli.run("ledger", "verify")
    assert text.returncode == 0
    assert text.stdout.endswith("the ledger is clean\n")
    assert "granted 5000, charged 0" in text.stdout
    report = cli.json("ledger", "verify")
    assert (report["ok"], report["violations"], report["counts"]) == (True, [], {})
    assert report["figures"]["granted_nano"] == 5000


def test_a_ledger_that_is_not_clean_is_said_so(cli: Cli, database_url: str) -> None:
    """1, with each difference and its rule, after somebody changed a read model by hand."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    cli.json("credit", "grant", "--account-id", account_id, "--amount-nano", "5000", "--reason", "wire")
    project(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE balances SET granted_nano = granted_nano + 1")
    text = cli.run("ledger", "verify")
    assert text.returncode == 1, text.stderr
    assert text.stdout.endswith("THE LEDGER IS NOT CLEAN\n")
    (line,) = (line for line in text.stdout.splitlines() if line.startswith("R01") and account_id in line)
    assert "granted_nano is 5001, should be 5000" in line
    report = cli.run("ledger", "verify", "--json")
    assert report.returncode == 1
    value = json.loads(report.stdout)
    assert (value["ok"], value["counts"]) == (False, {"R01": 1})
    (violation,) = value["violations"]
    assert account_id in violation["subject"]


def test_a_ledger_that_cannot_be_read_is_neither(data: Path) -> None:
    """2 when the database is away or there is none, so that nobody takes it for a finding."""
    away = Cli(DATABASE_URL="postgresql://u@127.0.0.1:1/x", TOKENOK_DATA=str(data))
    none = Cli(TOKENOK_DATA=str(data))
    for cli, code in ((away, "database_unavailable"), (none, "invalid_setting")):
        done = cli.run("ledger", "verify")
        assert (done.returncode, done.stdout, done.stderr.partition(":")[0]) == (2, "", code)


def test_presets_are_seen_without_a_database_and_enabled_with_one(cli: Cli) -> None:
    """From the list to a model that is priced and routed; the second time nothing is left to do."""
    listed = {one["id"]: one for one in Cli().json("preset", "list")}
    assert len(listed) == 10
    shown = Cli().json("preset", "show", "deepseek")
    assert len(shown["models"]) == listed["deepseek"]["models"]
    assert listed["deepseek"]["roles"]["coding"] in Cli().text("preset", "show", "deepseek")
    assert Cli().run("preset", "show", "nonsense").returncode == 1
    enable = ("preset", "enable", "--preset", "deepseek", "--probe", "false")
    first, again = (cli.json(*enable, stdin=f"{SECRET}\n") for _ in range(2))
    assert first["provider"] == "registered"
    assert {one["price"] for one in first["models"]} == {"published"}
    assert (again["position"], again["probe"]) == (None, None)


def test_a_provider_is_asked_whether_it_takes_the_secret(database_url: str, data: Path) -> None:
    """A good key, a bad one, both, and a provider that is away: each is told, nothing is stored, nothing secret is shown."""
    cli = Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(data), ALLOW_PRIVATE_UPSTREAMS="127.0.0.1")
    with sandbox(data, api_key="sk-good") as base_url:
        provider_id = cli.json("provider", "register", "--name", "near", "--base-url", base_url)["id"]
        probe = ("provider", "probe", "--provider-id", provider_id)
        store = ("credential", "store", "--provider-id", provider_id)
        assert outcomes(cli.json(*probe)) == [("auth", 401)]
        good = cli.json(*store, stdin="sk-good\n")["id"]
        assert cli.json(*probe)["works"] is True
        bad = cli.json(*store, stdin="sk-bad\n")["id"]
        both = cli.json(*probe)
        assert [one["credential_id"] for one in both["probes"]] == [good, bad]
        assert (both["works"], outcomes(both)) == (False, [("ok", 200), ("auth", 401)])
        assert outcomes(cli.json(*probe, "--credential-id", bad)) == [("auth", 401)]
        assert "refuses the secret" in cli.text(*probe)
    away = cli.text(*probe, "--credential-id", good)
    assert "unreachable" in away
    assert "sk-good" not in away


def outcomes(probed: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["outcome"], one["status"]) for one in probed["probes"]]


@contextmanager
def sandbox(folder: Path, *, api_key: str) -> Iterator[str]:
    """The base URL of one that asks for this key, while it runs."""
    ready = folder / "ready.json"
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--port",
        "0",
        "--ready-file",
        str(ready),
        "--api-key",
        api_key,
    ]
    process = subprocess.Popen(command)
    try:
        until(ready.exists)
        yield json.loads(ready.read_text())["base_url"]
    finally:
        process.terminate()
        process.wait()


def test_what_people_read(cli: Cli) -> None:
    """Tables and sentences where fields would say little."""
    assert cli.text("requests", "list") == "No requests.\n"
    head, *lines = cli.text("projections", "status").splitlines()
    assert head.split() == ["READ", "MODEL", "POSITION", "BEHIND", "STATE"]
    assert [line.split()[0] for line in lines] == [one.name for one in all_projections()]
    done = cli.run("doctor")
    assert done.returncode == 1
    assert any(line.startswith("wrong  redis_") for line in done.stdout.splitlines())
    assert cli.text("money", "month", "--month", "2025-01") == "Nothing is booked in this month.\n"
    assert cli.text("refund-request", "list") == "Nothing.\n\n0 open, the oldest for 0.0 h\n"
    assert cli.text("refund", "list", "--kind", "refund", "--state", "requested") == "Nothing.\n"
    assert cli.text("dispute", "list", "--open") == "Nothing.\n"
    assert cli.text("balance", "debts") == "Nobody owes.\n"


def test_read_models_that_wait_after_an_upgrade_are_named(cli: Cli, database_url: str) -> None:
    """By the doctor, with the command, and by whatever cannot be read from them."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE projections SET version = version - 1 WHERE name = 'request_log'")
        connection.execute("DROP VIEW request_log CASCADE")
    said = cli.run("doctor").stdout
    assert "\nnote   read_model_outdated: " in said
    assert "`tokenok projections rebuild request_log`" in said
    refused = cli.run("requests", "list", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr)["code"] == "read_model_outdated"


def test_the_ledger_is_exported_and_not_over_what_is_there(cli: Cli, tmp_path: Path) -> None:
    """A folder with sums that hold; a second export to the same place is refused with a code."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    cli.json("credit", "grant", "--account-id", account_id, "--amount-nano", "5000", "--reason", "wire")
    place = tmp_path / "export"
    exported = cli.json("export", "ledger", "--out", str(place), "--gzip")
    assert exported["events"] > 1
    assert exported["last_position"] == exported["until_position"]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=place, check=True)
    again = cli.run("export", "ledger", "--out", str(place))
    assert (again.returncode, again.stderr.split(":")[0]) == (1, "export_refused")


def test_charges_and_books_leave_as_files(cli: Cli, tmp_path: Path) -> None:
    """A head without rows, a journal of one grant; a month that there is not is refused before anything is written."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    cli.json("credit", "grant", "--account-id", account_id, "--amount-nano", "5000", "--reason", "wire")
    table, columns, books = tmp_path / "charges.csv", tmp_path / "charges.parquet", tmp_path / "books"
    assert cli.json("export", "charges", "--account-id", account_id, "--out", str(table))["rows"] == 0
    assert cli.json("export", "charges", "--format", "parquet", "--out", str(columns))["rows"] == 0
    assert table.read_text().startswith("position,recorded_at,account_id,")
    assert cli.json("export", "journal", "--format", "hledger", "--out", str(books))["transactions"] == 1
    assert "0.000005000 CREDIT" in books.read_text()
    bad = cli.run("export", "charges", "--month", "2026-13", "--out", str(tmp_path / "bad"))
    assert bad.returncode == 1
    assert not (tmp_path / "bad").exists()


def test_every_help_can_be_shown() -> None:
    """What is required comes first, secrets are not arguments, and no text trips over a percent sign."""
    issue = Cli().text("key", "issue", "--help")
    assert (
        issue.index("\nrequired:\n  --account-id UUID ")
        < issue.index("\noptions:")
        < issue.index("\n  --rpm")
    )
    store = Cli().text("credential", "store", "--help")
    assert "standard input" in store
    assert "--secret" not in store
    parser = make_parser()
    shown = 0
    for noun in _children(parser).values():
        assert noun.format_help()
        for verb in _children(noun).values():
            assert verb.format_help()
            shown += 1
    assert shown > len(COMMANDS)


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: child for group in groups for name, child in group.choices.items()}
