"""Many histories of the ledger at work, each drawn from a seed: whatever goes wrong, the books are right.

`SIMULATOR_SEED=N ./run test-all tests/simulator` plays the long run from that seed on.
"""

import pytest

from tests.model.world import Violation
from tests.simulator.history import History

SHORT_STEPS = 2_500
LONG_STEPS = 15_000


def _play(seed: int, steps: int) -> int:
    try:
        return History(seed).play(steps)
    except Violation as violation:
        violation.add_note(f"seed {seed}, {steps} steps of bad weather")
        raise


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_the_books_are_right(seed: int) -> None:
    """Kills, pauses, lost replies, wrong clocks and an absent database: every event adds up, and all credit can be spent."""
    _play(seed, SHORT_STEPS)


def test_a_seed_is_a_history() -> None:
    """Otherwise what was found once could not be found again."""
    histories = []
    for _ in range(2):
        history = History(7)
        history.play(SHORT_STEPS)
        histories.append(history.universe.store.history())
    assert histories[0] == histories[1]


def test_histories_are_eventful() -> None:
    """What never happens proves nothing."""
    seen: dict[str, int] = {}
    for seed in range(16):
        history = History(seed)
        history.play(SHORT_STEPS)
        for stored in history.universe.store.audited.events:
            seen[stored.topic] = seen.get(stored.topic, 0) + 1
        for request in history.universe.requests.values():
            seen[request.told] = seen.get(request.told, 0) + 1
    rare = {
        "wallet.lease-recall-requested.v1",
        "wallet.lease-extended.v1",
        "wallet.lease-reduced.v1",
        "lease.fenced.v1",
        "lease.closed.v1",
        "lease.request-abandoned.v1",
        "lease.request-released.v1",
        "lease.share-raised.v1",
        "lease.share-returned.v1",
        "budget-share.granted.v1",
        "budget-share.returned.v1",
        "budget-share.settled.v1",
        "charge.disputed.v1",
        "charge.reviewed.v1",
        "charge.usage-reported-late.v1",
        "adjustment.approved.v1",
        "adjustment.denied.v1",
        "redemption-code.redeemed.v1",
        "balance-low.crossed.v1",
        "completed",
        "failed",
        "refused",
    }
    assert rare <= seen.keys(), rare - seen.keys()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_long_run(long_run: tuple[int, int]) -> None:
    """As many histories as a million steps take, from a seed of their own each time."""
    seed, wanted = long_run
    steps = 0
    while steps < wanted:
        steps += _play(seed, LONG_STEPS)
        seed += 1
