"""`tokenok charge ...` and `tokenok balance alerts`, on a real log: the queue, files of late usage, and who fell below."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.balance_alerts.raise_alerts import raise_low_balances
from bootstrap import open_pool, ports_of
from launcher.secrets import ensure_master_key
from projections.low_balances import LowBalanceReader
from settings import Settings
from tests.application.charges.charge_world import ABANDONED, ABSURD, PLAIN, ChargeWorld
from tests.cli_runner import Cli, project
from tests.databases import migrated_template


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    ensure_master_key(tmp_path)
    key = (tmp_path / "master.key").read_text().strip()
    return Settings(database_url=database_url, tokenok_master_key=key)


@pytest.fixture
def cli(database_url: str, tmp_path: Path, settings: Settings) -> Cli:
    assert settings.database_url == database_url
    return Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(tmp_path))


@pytest.fixture
def charges(settings: Settings) -> Iterator[ChargeWorld]:
    """Requests of an account, whose gateway has died since."""
    with ports_of(settings) as ports:
        made = ChargeWorld(ports=ports)
        made.end_lease()
        project(settings.database_url)
        yield made


def test_the_queue_is_worked_off(cli: Cli, charges: ChargeWorld, database_url: str) -> None:
    """What was held and what is disputed wait together, oldest first, until they are reviewed."""
    account = ("--account-id", str(charges.account_id))
    cli.json("charge", "dispute", *account, "--request-id", str(PLAIN), "--cause", "no-answer")
    project(database_url)
    waiting = cli.json("charge", "reviews", "--state", "waiting", *account)
    assert [one["request_id"] for one in waiting["items"]] == [str(ABSURD), str(PLAIN)]
    assert waiting["queue"]["waiting"] == 2
    text = cli.text("charge", "reviews", "--limit", "1")
    assert "absurd,clamped" in text
    assert f"More with --after-position {waiting['items'][0]['position']}" in text
    upheld = ("--request-id", str(ABSURD), "--reason", "a long answer")
    assert cli.json("charge", "review", *upheld)["correction"] is None
    corrected = ("--request-id", str(PLAIN), "--amount-nano", "2", "--reason", "none came")
    assert cli.json("charge", "review", *corrected)["correction"] == "posted"
    again = cli.run("charge", "review", "--request-id", str(PLAIN), "--amount-nano", "3", "--reason", "x")
    assert (again.returncode, again.stderr.partition(":")[0]) == (1, "wrong_state")
    project(database_url)
    assert cli.json("charge", "reviews", "--state", "waiting")["items"] == []
    text = cli.text("charge", "reviews", "--request-id", str(PLAIN))
    assert "no-answer" in text
    assert "corrected: 0.000000002" in text
    assert "0 wait" in text
    assert cli.json("ledger", "verify")["ok"] is True


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_of_late_usage_is_taken_in(cli: Cli, charges: ChargeWorld, tmp_path: Path, form: str) -> None:
    """Each line on its own: what cannot be is refused with its line, and the file may be imported again."""
    lines = [
        {"request_id": str(PLAIN), "served_by": "acme", "report_ref": "r-1", "input": 2, "output": 4},
        {"request_id": str(ABANDONED), "served_by": "acme", "report_ref": "r-2", "output": 5},
        {"request_id": str(PLAIN), "served_by": "other", "report_ref": "r-3", "output": 1},
        {"request_id": "nonsense", "served_by": "acme", "report_ref": "r-4", "output": 1},
    ]
    path = tmp_path / f"late.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    else:
        names = list(lines[0])
        rows = (",".join(str(one.get(name, "")) for name in names) for one in lines)
        path.write_text("\n".join([",".join(names), *rows]) + "\n")
    before_nano = charges.wallet.available_nano
    done = cli.run("charge", "import", str(path), "--json")
    assert done.returncode == 1, done.stderr
    taken = json.loads(done.stdout)
    assert [(one["charged_nano"], one["code"]) for one in taken["lines"]] == [
        (-12, None),
        (10, None),
        (0, "invalid_value"),
        (0, "invalid_request"),
    ]
    assert charges.wallet.available_nano == before_nano + 2
    text = cli.run("charge", "import", str(path)).stdout
    assert "4 lines, 2 refused" in text
    assert charges.wallet.available_nano == before_nano + 2
    assert cli.json("ledger", "verify")["ok"] is True


def test_what_is_no_file_of_usage_is_refused(cli: Cli, tmp_path: Path) -> None:
    """Before anything is taken in."""
    missing = cli.run("charge", "import", str(tmp_path / "none.csv"))
    assert missing.returncode == 2
    assert "cannot be read" in missing.stderr
    path = tmp_path / "late.txt"
    path.write_text("")
    unclear = cli.run("charge", "import", str(path))
    assert unclear.returncode == 2
    assert "--form" in unclear.stderr
    assert cli.json("charge", "import", str(path), "--form", "csv") == {"lines": [], "refused": 0}


def test_low_balances_are_listed(
    cli: Cli, charges: ChargeWorld, settings: Settings, database_url: str
) -> None:
    """Once each, with what the threshold was; not those of others."""
    account = ("--account-id", str(charges.account_id))
    assert cli.text("balance", "alerts") == "Nothing.\n"
    owned_nano = charges.wallet.available_nano
    cli.json("balance", "threshold", *account, "--threshold-nano", str(owned_nano))
    charges.drain()
    project(database_url)
    with open_pool(settings) as pool:
        raise_low_balances(LowBalanceReader(pool), store=charges.ports.store)
    project(database_url)
    (alert,) = cli.json("balance", "alerts", *account)["items"]
    assert (alert["threshold_nano"], alert["balance_nano"]) == (owned_nano, 0)
    assert str(charges.account_id) in cli.text("balance", "alerts")
    stranger = cli.json("account", "open", "--name", "Blue")["id"]
    assert cli.json("balance", "alerts", "--account-id", stranger)["items"] == []
