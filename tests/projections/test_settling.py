"""Waiting for the read models, so that people see what they have just done."""

from projections.settling import Settling
from tests.histories import history
from tests.projections.lab import Lab


def settling(lab: Lab, *, wait_s: float) -> Settling:
    return Settling(pool=lab.pool, log=lab.log, projections=tuple(lab.projections.values()), wait_s=wait_s)


def test_it_waits_until_they_show_everything(lab: Lab) -> None:
    """And no longer than it was told to, or not at all."""
    lab.start_over(history(2, steps=50))
    assert not settling(lab, wait_s=0.01).wait()
    assert not settling(lab, wait_s=0).wait()
    lab.catch_up()
    assert settling(lab, wait_s=60).wait()


def test_one_that_stands_still_keeps_nobody_waiting(lab: Lab) -> None:
    """Neither one that stopped, nor one whose tables wait for a rebuild."""
    lab.start_over(history(2, steps=50))
    lab.catch_up()
    with lab.pool.connection() as connection:
        connection.execute("UPDATE projections SET position = 0 WHERE name IN ('balances', 'request_log')")
        connection.execute("UPDATE projections SET version = version + 1 WHERE name = 'balances'")
        connection.execute(
            "INSERT INTO projection_failures (name, position, error, tries, since_us) VALUES ('request_log', 1, 'Broken', 1, 1)"
        )
    assert settling(lab, wait_s=60).wait()
