"""The page of long work: asked for on it, followed on it, and the file taken from it."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from adapters.work_runs import PostgresRuns
from application.command import execute
from application.work.queries import Progress
from domain import work as rules
from domain.fact import SYSTEM, Stamp
from domain.work import WorkAsked, work_stream
from tests.api.console.conftest import World
from tests.api.console.forms import do, sign_in

HERE = "/console/work"
WORKER = UUID(int=9)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """The console has been told where exports are."""
    msgspec.structs.force_setattr(world.process.tools, "exports", tmp_path)
    return tmp_path


def asked(world: World) -> UUID:
    """The newest."""
    return world.process.tools.admin.work.work().items[0].work_id


def end(world: World, work_id: UUID, **figures: int) -> None:
    """As a worker does."""
    at = Stamp(now_us=world.process.clock.now_us(), actor=SYSTEM.label)
    execute(
        world.process.store,
        work_stream(work_id),
        None,
        rules.evolve,
        lambda work: rules.end(work, work_id=work_id, outcome="done", figures=figures, problem="", stamp=at),
    )
    world.project()


def test_an_export_from_asking_to_the_file(world: World, folder: Path) -> None:
    """It waits, it is under way, it is done; the file is there until it is removed."""
    token = sign_in(world, "auditor")
    assert do(world, "work/export", token, what="charges", of="2026-10") == ""
    world.project()
    assert "Waits for a worker" in world.client.get(HERE).text
    work_id = asked(world)
    runs = PostgresRuns(world.process.pool)
    assert runs.claim(work_id, WORKER, now_us=0)
    assert runs.beat(work_id, WORKER, Progress(3, 4), now_us=1)
    page = world.client.get(HERE).text
    assert 'max="4" value="3"' in page
    assert "hx-trigger" in page
    runs.give_back(work_id, WORKER)
    (folder / f"{work_id}.csv").write_text("request_id\r\n")
    assert world.get(f"{HERE}/{work_id}/file").status_code == 404, "it is not done"
    end(world, work_id, rows=0, position=77)
    page = world.client.get(HERE).text
    assert "hx-trigger" not in page.partition('id="work"')[2].partition(">")[0]
    taken = world.get(f"{HERE}/{work_id}/file")
    assert taken.content == b"request_id\r\n"
    assert 'filename="charges-2026-10-until-77.csv"' in taken.headers["content-disposition"]
    assert taken.headers["content-type"] == "application/octet-stream"
    assert taken.headers["cache-control"] == "no-store"
    (folder / f"{work_id}.csv").unlink()
    assert world.get(f"{HERE}/{work_id}/file").status_code == 404
    assert "Not kept any more" in world.client.get(HERE).text


def test_rebuilds_are_for_superadmins(world: World) -> None:
    """Others see what they have asked for; the audit log has who it was."""
    token = sign_in(world, "finance")
    assert "/console/do/work/rebuild" not in world.client.get(HERE).text
    refused = world.post("/console/do/work/rebuild", token=token, back=HERE, of="balances")
    assert refused.status_code == 403
    token = sign_in(world, "admin")
    assert do(world, "work/rebuild", token, of="balances") == ""
    world.project()
    assert "balances" in world.client.get(HERE).text
    assert WorkAsked.TOPIC in world.client.get("/console/audit").text


def test_where_there_are_no_exports_none_are_offered(world: World) -> None:
    world.as_staff("admin")
    page = world.client.get(HERE).text
    assert "/console/do/work/export" not in page
    assert "/console/do/work/rebuild" in page
