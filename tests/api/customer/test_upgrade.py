"""Between an upgrade and the rebuild that it needs, programs get a code of its own."""

import psycopg

from tests.api.customer.conftest import World


def test_a_read_model_that_waits_is_not_the_database_that_is_away(world: World) -> None:
    """503 with a code, the reason and when to come again; what reads other tables goes on."""
    with psycopg.connect(world.process.settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE projections SET version = version - 1 WHERE name = 'request_log'")
        connection.execute("DROP VIEW request_log CASCADE")
    answer = world.ask("GET", "/requests")
    assert (answer.status_code, answer.json()["code"]) == (503, "read_model_outdated")
    assert "request_log" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "15"
    assert world.ask("GET", "/balance").status_code == 200
