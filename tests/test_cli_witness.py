"""`tokenok witness serve` as a process of its own, and a log that has it cosign what is sealed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from adapters.sealing.ed25519 import new_key
from adapters.sealing.keys import parse_seal_keys
from bootstrap import sealed_directory
from domain.sealing.notes import BadKey
from launcher.secrets import ensure_master_key
from sealing import LogSealing
from settings import Settings
from tests.cli_runner import Cli
from tests.databases import migrated_template
from tests.waiting import until

NAME = "witness.example/w1"


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@contextmanager
def served(root: Path, log_key: str) -> Iterator[tuple[str, str]]:
    """The address and the public key of a witness that runs."""
    key_file = root / "witness_key"
    key_file.write_text(Cli().text("witness", "new-key", NAME))
    public = Cli().text("witness", "key", "--key-file", str(key_file)).strip()
    words = ["witness", "serve", "--key-file", str(key_file), "--log", log_key]
    words += ["--state", str(root / "state"), "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().removeprefix("listening on ").strip()
            assert address.startswith("http://127.0.0.1:"), address
            yield address, public
        finally:
            process.terminate()


def test_what_is_sealed_is_cosigned_and_verified(database_url: str, tmp_path: Path) -> None:
    """By a witness that is somewhere else, over HTTP; and by as many as the reader wants, or it is said."""
    ensure_master_key(tmp_path)
    private = new_key("example.com/log")
    log_key = parse_seal_keys(private).public[0].text
    with served(tmp_path, log_key) as (address, public):
        settings = Settings(
            database_url=database_url,
            seal_dir=str(tmp_path / "seal"),
            seal_key=private,
            seal_every_s=0.05,
            witnesses=f"{address} {public}, https://gone.invalid {_other()}",
            witness_every_s=0.05,
            allow_private_upstreams="127.0.0.1",
        )
        cli = Cli(
            DATABASE_URL=database_url,
            TOKENOK_DATA=str(tmp_path),
            SEAL_DIR=settings.seal_dir,
            SEAL_KEY=log_key,
            WITNESSES=settings.witnesses,
            ALLOW_PRIVATE_UPSTREAMS="127.0.0.1",
        )
        cli.json("account", "open", "--name", "Blue")
        with psycopg.connect(database_url) as connection:
            (events,) = connection.execute("SELECT count(*) FROM event_log").fetchone() or (0,)
        with LogSealing(settings):
            until(
                lambda: (sealed_directory(settings).witnessed() or b"").split(b"\n")[1:2] == [b"%d" % events]
            )
    status = cli.json("seal", "status")
    assert (status["witnessed_size"], status["witnessed_by"]) == (events, [NAME])
    text = cli.text("seal", "verify")
    assert f"{events} of them cosigned by {NAME}" in text
    wanted = cli.run("seal", "verify", "--quorum", "2")
    assert wanted.returncode == 1
    assert "1 witnesses have cosigned, 2 are wanted" in wanted.stdout


@pytest.mark.parametrize(
    "witnesses",
    [
        "https://witness.example/w1",
        "https://witness.example/w1 nonsense",
        "http://witness.example/w1 {key}",
        "https://127.0.0.1/w1 {key}",
        "https://169.254.169.254 {key}",
        "https://witness.internal {key}",
        "https://user@witness.example {key}",
        "https://a.example {key}, https://b.example {key}",
    ],
)
def test_a_witness_that_cannot_be_used_stops_the_start(tmp_path: Path, witnesses: str) -> None:
    """Its address is judged as a provider's is, and its key is read, before anything runs."""
    settings = Settings(
        seal_dir=str(tmp_path), seal_key=new_key("example.com/log"), witnesses=witnesses.format(key=_other())
    )
    with pytest.raises(BadKey):
        LogSealing(settings)


def _other() -> str:
    made: str = Cli().json("witness", "new-key", "other.example")["public"]
    return made
