"""Seeded faults in the ledger at work. A world in which each of them goes unnoticed would prove nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from application.gateway.settlement import Settlement
from application.ledger.banker import Banker
from application.ledger.lender import Lender
from application.ledger.live_lease import LiveLease
from application.ledger.own_leases import OwnLeases
from application.ledger.reaper import Reaper
from application.ledger.wallet_access import WalletAccess
from domain.ledger import leasing
from domain.ledger.lots import LentSlice
from tests.model.world import Violation
from tests.simulator.history import History

SEEDS: Final = range(60)
STEPS: Final = 3_000

HARSH: Final = {
    "request_every_s": 0.005,
    "kill_every_s": 5.0,
    "away_every_s": 3.0,
    "away_s": 3.0,
    "leave_share": 0.4,
}
"""Nothing is left to the draw that many of the faults need in order to show."""

Mutation = tuple[type, str, Callable[..., Any]]


def _nothing(*_args: Any, **_more: Any) -> None:
    """The step is left out."""


async def _nothing_later(*_args: Any, **_more: Any) -> None:
    """The step is left out."""


def _reaps_nobody(_self: Reaper) -> list[Any]:
    return []


class _NoLock:
    async def __aenter__(self) -> None:
        await asyncio.sleep(0)

    async def __aexit__(self, *_error: object) -> None:
        pass


def _borrow_together(self: Banker, *args: Any, **more: Any) -> None:
    _banker_as_it_is(self, *args, **more)
    self._borrowing = _NoLock()  # type: ignore[assignment]  # the fault


_banker_as_it_is = Banker.__init__


async def _extend_by_guess(self: Lender, live: LiveLease, size: Any, *, alias: str) -> None:
    """The lease counts on the credit before the wallet has lent it."""
    guessed_nano = size(self.access.wallet).amount_nano
    part = live.lease.parts[0]
    slices = (LentSlice(part.lot_id, guessed_nano, part.terms),)
    live.record(list(leasing.top_up(live.lease, amount_nano=guessed_nano, slices=slices)))
    await _extend_as_it_is(self, live, size, alias=alias)


_extend_as_it_is = Lender.extend

MUTATIONS: Final[dict[str, Mutation]] = {
    "the last byte does not wait": (Settlement, "_durable", _nothing_later),
    "nobody reaps the dead": (Reaper, "run_once", _reaps_nobody),
    "a request that failed keeps its hold": (Settlement, "release", _nothing),
    "drained leases are not settled": (OwnLeases, "_close_drained", _nothing_later),
    "two tasks borrow at once": (Banker, "__init__", _borrow_together),
    "a wallet is never read again": (WalletAccess, "_read_tail", _nothing_later),
    "the lease is raised before the wallet has lent": (Lender, "extend", _extend_by_guess),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_does_not_go_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some history shows it."""
    owner, method, fault = MUTATIONS[name]
    monkeypatch.setattr(owner, method, fault)
    for seed in SEEDS:
        history = History(seed)
        history.plan = msgspec.structs.replace(history.plan, **HARSH)
        try:
            history.play(STEPS)
        except Violation:
            return
    pytest.fail(f"not noticed: {name}")
