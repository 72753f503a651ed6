"""Long work on the real thing: files that audit, read models that are the same, and workers that die or are stopped."""

import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.work_runs import SILENT_US, PostgresRuns
from application.clock import SystemClock
from application.eventlog import LogUnavailable
from application.work.files import KEPT_S
from application.work.queries import Progress, WorkRow
from application.work.workshop import GivenUp, Perform, Tell, Workshop
from bootstrap import open_pool, open_store
from domain.work import EVERYTHING, WorkKind
from launcher.secrets import ensure_master_key
from projections.work import WorkReader
from settings import Settings
from tests.cli_runner import Cli, project
from tests.databases import migrated_template
from tests.waiting import until
from workshop import Works, clear

AUDIT = Path(__file__).parents[1] / "audit" / "tokenok_audit.py"


@pytest.fixture(scope="module")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, exports_dir=str(tmp_path / "exports"))


@pytest.fixture
def cli(settings: Settings, tmp_path: Path) -> Cli:
    """With an account that has credit."""
    ensure_master_key(tmp_path)
    cli = Cli(DATABASE_URL=settings.database_url, TOKENOK_DATA=str(tmp_path))
    account_id = cli.json("account", "open", "--name", "Blue")["id"]
    cli.json("credit", "grant", "--account-id", account_id, "--amount-nano", "5000", "--reason", "wire")
    return cli


def ask(cli: Cli, settings: Settings, *words: str) -> UUID:
    """As an operator on the server; the read models know of it afterwards."""
    work_id = cli.json("work", *words)["id"]
    project(settings.database_url)
    return UUID(work_id)


def ended(settings: Settings, work_id: UUID) -> WorkRow:
    """Once a worker has done it."""

    def look() -> WorkRow | None:
        project(settings.database_url)
        with open_pool(settings) as pool:
            row = WorkReader(pool).one(work_id)
        return row if row is not None and row.outcome is not None else None

    with Works(settings):
        until(lambda: look() is not None)
    found = look()
    assert found is not None
    return found


def test_an_export_for_auditors_audits(cli: Cli, settings: Settings, tmp_path: Path) -> None:
    """One file of what the command line would write; the audit program finds nothing wrong with it."""
    work_id = ask(cli, settings, "export", "--what", "ledger")
    row = ended(settings, work_id)
    assert (row.outcome, row.problem) == ("done", "")
    place = Path(settings.exports_dir) / f"{work_id}.zip"
    assert row.figures["bytes"] == place.stat().st_size
    assert [one.name for one in place.parent.iterdir()] == [place.name], "nothing else is left there"
    with zipfile.ZipFile(place) as packed:
        packed.extractall(tmp_path / "unpacked")
    done = subprocess.run(
        [sys.executable, str(AUDIT), "--unsigned", str(tmp_path / "unpacked")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "done" in cli.text("work", "list")


def test_charges_and_journals(cli: Cli, settings: Settings) -> None:
    """As the command line writes them."""
    charges = ask(cli, settings, "export", "--what", "charges", "--of", "2026-01")
    journal = ask(cli, settings, "export", "--what", "journal", "--of", "hledger")
    assert ended(settings, charges).figures["rows"] == 0
    assert ended(settings, journal).figures["transactions"] == 1
    folder = Path(settings.exports_dir)
    assert (folder / f"{charges}.csv").read_bytes().count(b"\r\n") == 1, "a head and no rows"
    there = Path(settings.exports_dir, "by-hand.journal")
    cli.json("export", "journal", "--format", "hledger", "--out", str(there))
    assert (folder / f"{journal}.hledger").read_bytes().startswith(there.read_bytes()[:200])


@pytest.mark.parametrize("name", [EVERYTHING, "balances"])
def test_read_models_are_rebuilt(cli: Cli, settings: Settings, name: str) -> None:
    """All of them, or one."""
    words = ("--of", name) if name else ()
    before = cli.json("projections", "status")
    row = ended(settings, ask(cli, settings, "rebuild", *words))
    assert row.outcome == "done"
    assert row.figures["rows"] >= 1
    after = {one["name"]: one["generation"] for one in cli.json("projections", "status")}
    again = {one["name"] for one in before if after[one["name"]] > one["generation"]}
    assert again == ({name} if name else set(after))


def test_what_cannot_be_done_fails_with_a_code(cli: Cli, settings: Settings) -> None:
    """And the next piece is done."""
    unknown = ask(cli, settings, "rebuild", "--of", "nothing")
    row = ended(settings, unknown)
    assert (row.outcome, row.problem) == ("failed", "unknown_read_model")
    nowhere = Settings(database_url=settings.database_url)
    row = ended(nowhere, ask(cli, settings, "export", "--what", "ledger"))
    assert (row.outcome, row.problem) == ("failed", "export_refused")


def test_files_are_removed_after_some_days(cli: Cli, settings: Settings) -> None:
    """And no sooner."""
    work_id = ask(cli, settings, "export", "--what", "ledger")
    ended(settings, work_id)
    place = Path(settings.exports_dir) / f"{work_id}.zip"
    now_s = int(place.stat().st_mtime)
    clear(place.parent, now_s=now_s + KEPT_S)
    assert place.exists()
    clear(place.parent, now_s=now_s + KEPT_S + 2)
    assert not place.exists()


class Later:
    """A clock that is ahead by as much as one says."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return SystemClock().now_us() + self.ahead_us


class Shop:
    """Workshops that do by functions of the test, on a real log."""

    def __init__(self, settings: Settings) -> None:
        self.clock = Later()
        self.stop = threading.Event()
        self._settings = settings

    def round(self, perform: Perform) -> int:
        kinds: tuple[WorkKind, ...] = ("rebuild", "ledger", "charges", "journal")
        with open_pool(self._settings) as pool, open_store(self._settings) as store:
            return Workshop(
                worker_id=uuid4(),
                works=WorkReader(pool),
                runs=PostgresRuns(pool),
                store=store,
                clock=self.clock,
                performers=dict.fromkeys(kinds, perform),
                stop=self.stop,
            ).round()


def succeed(row: WorkRow, tell: Tell) -> dict[str, int]:
    tell(1, 1)
    return {"rows": 1}


def test_a_worker_that_died_is_replaced_after_a_silence(cli: Cli, settings: Settings) -> None:
    """Not before: it may be slow and alive."""
    work_id = ask(cli, settings, "export", "--what", "ledger")
    shop = Shop(settings)
    with open_pool(settings) as pool:
        assert PostgresRuns(pool).claim(work_id, uuid4(), now_us=shop.clock.now_us())
    assert shop.round(succeed) == 0
    shop.clock.ahead_us = SILENT_US + 60_000_000
    assert shop.round(succeed) == 1
    assert shop.round(succeed) == 0, "it is ended, though the read model does not know yet"


def test_who_stops_leaves_it_to_the_next(cli: Cli, settings: Settings) -> None:
    """At once, and nothing is noted."""
    ask(cli, settings, "export", "--what", "ledger")
    shop = Shop(settings)
    shop.stop.set()
    assert shop.round(succeed) == 1
    shop.stop.clear()
    assert shop.round(succeed) == 1
    assert shop.round(succeed) == 0


def test_who_lost_it_goes_no_further(cli: Cli, settings: Settings) -> None:
    """Another worker took it in the silence, and has done it; what the first one does then is for nothing."""
    work_id = ask(cli, settings, "export", "--what", "ledger")
    shop = Shop(settings)
    told: list[bool] = []

    def be_late(row: WorkRow, tell: Tell) -> dict[str, int]:
        with open_pool(settings) as pool:
            claimed = PostgresRuns(pool).claim(work_id, uuid4(), now_us=shop.clock.now_us() + 2 * SILENT_US)
        assert claimed

        def given_up() -> bool:
            try:
                tell(1, 2)
            except GivenUp:
                told.append(True)
            return bool(told)

        until(given_up)
        tell(2, 2)
        return {}

    assert shop.round(be_late) == 1
    assert told == [True]
    project(settings.database_url)
    with open_pool(settings) as pool:
        row = WorkReader(pool).one(work_id)
        assert row is not None
        assert row.outcome is None
        assert PostgresRuns(pool).progress([work_id]) == {work_id: Progress(0, 0)}, "the other's"


def test_a_database_that_is_away_fails_nothing(cli: Cli, settings: Settings) -> None:
    """It is begun anew when it is back."""
    ask(cli, settings, "export", "--what", "ledger")
    shop = Shop(settings)

    def lose(row: WorkRow, tell: Tell) -> dict[str, int]:
        raise LogUnavailable("away")

    with pytest.raises(LogUnavailable):
        shop.round(lose)
    assert shop.round(succeed) == 1
