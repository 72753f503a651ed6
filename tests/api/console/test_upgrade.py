"""Between an upgrade and the rebuild that it needs: pages say what it is, and to operators how it is mended."""

import psycopg
import pytest

from tests.api.console.conftest import ACCOUNT, World


@pytest.fixture
def upgraded(world: World) -> World:
    """The code has read models of a new shape, and no worker has run yet."""
    with psycopg.connect(world.process.settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE projections SET version = version - 1 WHERE name = 'request_log'")
        connection.execute("DROP VIEW request_log CASCADE")
    return world


def test_operators_read_which_read_model_waits(upgraded: World) -> None:
    """With the command that mends it, and when to come again; the page of the ledger says it too."""
    upgraded.as_staff("admin")
    page = upgraded.get("/console/requests")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "15"
    assert "read_model_outdated" in page.text
    assert "Waiting: request_log." in page.text
    assert "tokenok projections rebuild NAME" in page.text
    assert "Waiting: request_log." in upgraded.get("/console/ledger").text


def test_customers_read_that_it_will_be_there_again(upgraded: World) -> None:
    """What our tables are called is nothing to them; in their language."""
    upgraded.as_member("owner")
    page = upgraded.get(f"/app/{ACCOUNT}/requests", **{"accept-language": "ja"})
    assert page.status_code == 503
    assert "request_log" not in page.text
    assert "アップグレード後のデータ更新中です" in page.text


def test_what_reads_other_tables_goes_on(upgraded: World) -> None:
    """One read model that waits is not the database that is away."""
    upgraded.as_staff("admin")
    assert upgraded.get("/console/audit").status_code == 200
