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
from application.ledger.share_access import ShareAccess
from application.ledger.share_lender import ShareLender
from application.ledger.wallet_access import WalletAccess
from domain.budgets import book
from domain.ledger import leasing, shares
from domain.ledger.lots import LentSlice
from domain.ledger.shares import BudgetBucket
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

Mutation = tuple[object, str, Callable[..., Any]]


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


async def _raise_by_guess(self: ShareLender, live: LiveLease, *more: Any) -> None:
    """The lease counts on a share before the budget has lent it."""
    *_, bucket, hold_nano = more
    live.record(leasing.raise_share(live.lease, bucket=bucket, amount_nano=hold_nano))
    await _lend_as_it_is(self, live, *more)


_lend_as_it_is = ShareLender.lend


async def _take_back_only(
    _self: ShareLender, live: LiveLease, access: ShareAccess, bucket: BudgetBucket
) -> None:
    """The budget takes back what the lease still counts on."""
    free_nano = shares.free_nano(live.lease.shares, bucket)
    if free_nano and access.book.share_nano(bucket.start_us, live.lease.lease_id) >= free_nano:
        await access.change(
            lambda shares_: book.return_share(
                shares_,
                bucket.budget_id,
                bucket_us=bucket.start_us,
                lease_id=live.lease.lease_id,
                amount_nano=free_nano,
                now_us=1,
            )
        )


MUTATIONS: Final[dict[str, Mutation]] = {
    "the last byte does not wait": (Settlement, "_durable", _nothing_later),
    "nobody reaps the dead": (Reaper, "run_once", _reaps_nobody),
    "a request that failed keeps its hold": (Settlement, "release", _nothing),
    "drained leases are not settled": (OwnLeases, "_close_drained", _nothing_later),
    "two tasks borrow at once": (Banker, "__init__", _borrow_together),
    "a wallet is never read again": (WalletAccess, "_read_tail", _nothing_later),
    "the lease is raised before the wallet has lent": (Lender, "extend", _extend_by_guess),
    "a share is raised before the budget has lent": (ShareLender, "lend", _raise_by_guess),
    "a budget takes back what its lease counts on": (ShareLender, "give_back", _take_back_only),
    "what the dead left of a budget is lost": (ShareLender, "settle", _nothing_later),
    "shares are never read again": (ShareAccess, "_read_tail", _nothing_later),
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
