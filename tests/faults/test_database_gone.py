"""The database dies under gateways and stays away: they end when they are told to, without it."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Product, kill
from tests.faults.test_kill_rounds import served_again

END_S_MAX = 60
"""Longer than every wait in the way: half a minute for open requests, ten seconds each for leases and journal."""


@pytest.fixture
def gateways(product: Product) -> Iterator[list[int]]:
    """Two gateways that have served and hold leases; their database is dead, and nobody starts it again."""
    asyncio.run(served_again(product))
    pids = product.pids("gateway_main")
    product.freeze()
    for pid in product.pids("postgres"):
        kill(pid)
    yield pids
    product.kill_everything()
    product.start(port=product.port)


@pytest.mark.timeout(300)
def test_gateways_end_though_their_database_is_gone(product: Product, gateways: list[int]) -> None:
    """They were told so at once, with leases open that nothing can settle any more."""
    for pid in gateways:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_S_MAX
    while any(_runs(pid) for pid in gateways):
        assert time.monotonic() < deadline, product.log.read_text()[-4000:]
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    """False of what nobody has waited for yet: the supervisor is frozen."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
