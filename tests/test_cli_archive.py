"""`tokenok archive` on the command line: from an open log to files, and on as before."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from launcher.secrets import ensure_master_key
from tests.cli_runner import Cli, project
from tests.databases import migrated_template


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Cli:
    ensure_master_key(tmp_path)
    archive = {"ARCHIVE_DIR": str(tmp_path / "archive"), "ARCHIVE_SEGMENT_EVENTS": "2", "ARCHIVE_REST_S": "0"}
    return Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(tmp_path), **archive)


def test_from_the_log_to_the_archive(cli: Cli, database_url: str, tmp_path: Path) -> None:
    """Each step says what it would do, and does it; the books are right afterwards, and accounts can be changed."""
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    for _ in range(3):
        cli.json("credit", "grant", "--account-id", account_id, "--amount-nano", "5", "--reason", "wire")
    project(database_url)
    assert cli.text("archive", "list") == "Nothing is closed and nothing is archived.\n"
    assert cli.json("archive", "close", "--dry-run") == {"would_close_until": 4}
    assert cli.json("archive", "close") == {"closed_until": 4}
    assert cli.json("archive", "close") == {"closed_until": None}
    assert cli.json("archive", "write", "--dry-run") == {"would_write": [{"first": 1, "last": 4}]}
    assert len(cli.json("archive", "write")["written"]) == 2
    assert cli.json("archive", "write") == {"written": []}
    assert cli.text("archive", "verify") == "2 segments with 4 events are in order.\n"
    assert cli.json("archive", "detach", "--dry-run")["would_detach"][0]["table"] == "stored_events_4"
    refused = cli.run("archive", "detach")
    assert (refused.returncode, refused.stderr[:16]) == (1, "detach_refused: ")
    assert "the log is not sealed" in refused.stderr
    assert len(cli.json("archive", "detach", "--unsealed")["detached"]) == 1
    assert "archive" in cli.text("archive", "list")
    assert cli.json("ledger", "verify")["ok"] is True
    cli.json("account", "suspend", "--account-id", account_id, "--reason", "test")
    first = min((tmp_path / "archive").glob("*.zst"))
    first.rename(tmp_path / "elsewhere")
    verified = cli.run("archive", "verify", "--json")
    assert verified.returncode == 1
    assert [first.name in one["wrong"] for one in json.loads(verified.stdout)] == [True, False]
    unread = cli.run("ledger", "verify")
    assert unread.returncode == 2
    assert unread.stderr.startswith("log_unavailable: ")
    assert first.name in unread.stderr


def test_the_doctor_looks_for_the_archive(cli: Cli, database_url: str, tmp_path: Path) -> None:
    """Files that are gone, cut short or of another archive; and what is no fault: segments that have not left yet."""

    def found() -> list[str]:
        findings = json.loads(cli.run("doctor", "--json").stdout)["findings"]
        return [one["problem"] for one in findings if one["code"] == "archive_files"]

    cli.json("account", "open", "--name", "Blue")
    cli.json("archive", "close")
    cli.json("archive", "write")
    (segment,) = (tmp_path / "archive").glob("*.zst")
    content = segment.read_bytes()
    segment.unlink()
    assert found() == []
    segment.write_bytes(content)
    cli.json("archive", "detach", "--unsealed")
    assert found() == []
    segment.write_bytes(content[:-1])
    assert f"first {segment.name}: it has {len(content) - 1} bytes" in found()[0]
    segment.unlink()
    assert "it cannot be read: No such file" in found()[0]
    plain = Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(tmp_path))
    assert "ARCHIVE_DIR is not set" in plain.run("doctor", "--json").stdout


def test_a_sealed_log_is_not_taken_for_an_unsealed_one(cli: Cli, database_url: str) -> None:
    """Whoever leaves SEAL_DIR out cannot talk a part out of what was signed."""
    cli.json("account", "open", "--name", "Blue")
    cli.json("archive", "close")
    cli.json("archive", "write")
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO sealed_checkpoints (size, position, note) VALUES (1, 1, '')")
    refused = cli.run("archive", "detach", "--unsealed")
    assert refused.returncode == 1
    assert "set SEAL_DIR and SEAL_KEY" in refused.stderr


def test_a_part_that_has_not_rested_stays(database_url: str, tmp_path: Path) -> None:
    """By the default it rests for an hour; without ARCHIVE_DIR nothing is written."""
    ensure_master_key(tmp_path)
    plain = Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(tmp_path))
    plain.json("account", "open", "--name", "Blue")
    plain.json("archive", "close")
    refused = plain.run("archive", "write")
    assert refused.returncode == 2
    assert "ARCHIVE_DIR must be set" in refused.stderr
    cli = Cli(DATABASE_URL=database_url, TOKENOK_DATA=str(tmp_path), ARCHIVE_DIR=str(tmp_path / "archive"))
    cli.json("archive", "write")
    refused = cli.run("archive", "detach", "--unsealed")
    assert refused.returncode == 1
    assert refused.stderr.startswith("detach_refused: stored_events_1 was closed less than")
