"""The command line as a process of its own, on a real database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.embedded.endpoints import Endpoints, write_endpoints
from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.runner import Runner
from projections.tail import LogTail
from tests.databases import migrated_template
from up_secrets import ensure_master_key

SECRET = "sk-told-on-standard-input"


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ensure_master_key(tmp_path)
    return tmp_path


class Cli:
    """Runs `tokenok`; `environment` replaces what this process has of settings."""

    def __init__(self, **environment: str) -> None:
        ours = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        self._environment = ours | environment

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def cli(database_url: str, data: Path) -> Cli:
    return Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(data))


def project(database_url: str) -> None:
    """Bring the read models to the end of the log."""
    with (
        PostgresEventStore(database_url) as store,
        projection_pool(database_url, size_max=4) as pool,
    ):
        projections = all_projections()
        runner = Runner(
            pool=pool,
            reader=LogTail(store),
            registry=REGISTRY,
            projections=projections,
            clock=SystemClock(),
        )
        for one in projections:
            runner.catch_up(one.name)


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
    assert cli.json("ledger", "verify")["ok"] is True


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


def test_help_names_every_command() -> None:
    """`tokenok --help` needs no settings."""
    done = Cli().run("--help")
    assert done.returncode == 0
    for name in ("up", "account", "credit", "key", "prices", "ledger", "doctor"):
        assert f"    {name} " in done.stdout
