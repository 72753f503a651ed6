"""`tokenok seal`, as a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.sealing.ed25519 import new_key, verify
from adapters.sealing.keys import parse_seal_keys
from domain.sealing.checking import check_consistency
from domain.sealing.checkpoint import read_hash
from domain.sealing.proof import read_proof
from domain.sealing.tree import leaf_hash
from launcher.secrets import ensure_master_key, ensure_seal_keys
from sealing import LogSealing
from settings import Settings
from tests.cli_runner import Cli
from tests.databases import migrated_template
from tests.waiting import until

SEALED_EVENTS = 3


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url, seal_dir=str(tmp_path / "seal"), seal_key=new_key("example.com/log")
    )


@pytest.fixture
def cli(settings: Settings, tmp_path: Path) -> Cli:
    """It has the public key of the log only."""
    ensure_master_key(tmp_path)
    public = parse_seal_keys(settings.seal_key).public[0].text
    return Cli(
        DATABASE_URL=settings.database_url,
        SEAL_DIR=settings.seal_dir,
        SEAL_KEY=public,
        TOKENOK_DATA=str(tmp_path),
    )


def test_a_log_is_sealed_proved_and_verified(cli: Cli, settings: Settings) -> None:
    """From the first event to a proof in a file; a change of the log is then found."""
    _seal_some(cli, settings)
    status = cli.json("seal", "status")
    assert (status["origin"], status["size"], status["events_behind"]) == (
        "example.com/log",
        SEALED_EVENTS,
        0,
    )
    proved = cli.json("seal", "prove", "--position", "2")
    key = parse_seal_keys(settings.seal_key).public[0]
    found = read_proof(proved["proof"].encode()).check(leaf_hash(proved["leaf"].encode()), [key], verify)
    assert found.size == SEALED_EVENTS
    shown = cli.json("seal", "consistency", "--from", "1")
    check_consistency(
        old_size=1,
        old_root=read_hash(shown["old_root"]),
        size=SEALED_EVENTS,
        root=found.root,
        path=[read_hash(digest) for digest in shown["path"]],
    )
    assert "The log is what was signed." in cli.text("seal", "verify")
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("ALTER TABLE stored_events DISABLE TRIGGER stored_events_append_only")
        connection.execute("UPDATE stored_events SET state = '{}' WHERE notification_id = 2")
    changed = cli.run("seal", "verify")
    assert changed.returncode == 1
    assert "the event at position 2 is not the one that was sealed" in changed.stdout
    assert cli.run("seal", "prove", "--position", "2").stderr.startswith("seal_broken: ")


def test_before_the_first_checkpoint_nothing_is_claimed(cli: Cli) -> None:
    """Neither a status nor a proof, and a position without an event is none."""
    for words in (("status",), ("consistency", "--from", "1")):
        done = cli.run("seal", *words)
        assert (done.returncode, done.stderr.partition(":")[0]) == (1, "not_sealed")
    done = cli.run("seal", "prove", "--position", "9")
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "not_found")


def test_keys_are_made_and_told(tmp_path: Path) -> None:
    """A private one to standard output, for a file; the public ones of an installation for everybody."""
    made = Cli(TOKENOK_DATA=str(tmp_path)).text("seal", "new-key", "example.com/log")
    assert parse_seal_keys(made).signer is not None
    refused = Cli(TOKENOK_DATA=str(tmp_path)).run("seal", "new-key", "a b")
    assert (refused.returncode, refused.stdout) == (2, "")
    nothing = Cli(TOKENOK_DATA=str(tmp_path)).run("seal", "key")
    assert (nothing.returncode, nothing.stderr.partition(":")[0]) == (2, "invalid_setting")
    ensure_seal_keys(tmp_path)
    keys = Cli(TOKENOK_DATA=str(tmp_path)).json("seal", "key")
    assert keys["receipts"].startswith(keys["log"].partition("+")[0] + "/receipts+")
    assert "PRIVATE" not in str(keys)


def _seal_some(cli: Cli, settings: Settings) -> None:
    for name in ("Blue", "Red", "Green"):
        cli.json("account", "open", "--name", name)
    with psycopg.connect(settings.database_url) as connection, LogSealing(settings):
        until(
            lambda: (
                connection.execute("SELECT max(size) FROM sealed_checkpoints").fetchone() == (SEALED_EVENTS,)
            )
        )


def test_figures_are_explained_at_a_point(cli: Cli) -> None:
    """Granted twice: now, and as of the first grant, by its position or its instant; what never was is not found."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    for amount_nano in (5_000_000_000, 7_000_000_000):
        cli.json(
            "credit",
            "grant",
            "--account-id",
            account_id,
            "--amount-nano",
            str(amount_nano),
            "--reason",
            "wire",
        )
    now = cli.json("explain", "balance", "--account-id", account_id)
    assert (now["posted_nano"], [one["topic"] for one in now["kinds"]]) == (
        12_000_000_000,
        ["wallet.credit-lot-granted.v1"],
    )
    first = now["movements"][0]
    then = cli.text("explain", "balance", "--account-id", account_id, "--as-of", str(first["position"]))
    assert then.startswith("posted 5, held 0, available 5 credits\n")
    opened = cli.json("explain", "account", "--account-id", account_id, "--as-of", "2100-01-01T00:00:00Z")
    assert opened["status"] == "open"
    early = cli.run("explain", "account", "--account-id", account_id, "--as-of", "2001-01-01T00:00:00Z")
    assert (early.returncode, early.stderr.partition(":")[0]) == (1, "not_found")
    wrong = cli.run("explain", "price", "--alias", "big", "--as-of", "yesterday")
    assert (wrong.returncode, wrong.stderr.partition(":")[0]) == (1, "invalid_value")
