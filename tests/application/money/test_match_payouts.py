"""Payouts are taken apart, line by line."""

from typing import Any

import pytest
from msgspec.structs import replace

from application.checkout.ports import BalanceTransaction
from application.command import Ports
from application.money.match_payouts import match_payouts
from domain.money.events import PayoutReconciled, PspLinePaidOut, PspLineRecorded
from domain.topics import REGISTRY
from tests.application.checkout.provider import FakeProvider
from tests.application.checkout.test_webhooks import bought
from tests.application.money.test_reconcile import LINE, run
from tests.application.recharge.test_orders import store_of

SECOND = replace(
    LINE, transaction_ref="txn_2", source_ref="pi_2", gross_minor=500, fee_minor=0, net_minor=500
)
PAYOUT = replace(
    LINE,
    kind="payout",
    transaction_ref="txn_9",
    source_ref="po_1",
    gross_minor=-12_080,
    fee_minor=0,
    net_minor=-12_080,
)
AGAIN = replace(PAYOUT, transaction_ref="txn_10", source_ref="po_2", gross_minor=-500, net_minor=-500)


class _Open:
    """The payouts of these lines."""

    def __init__(self, *line_refs: str) -> None:
        self._line_refs = list(line_refs)

    def open_payouts(self, provider: str, *, mode: str, limit: int) -> list[str]:
        assert (provider, mode) == ("stripe", "live")
        return self._line_refs[:limit]


def recorded(*lines: BalanceTransaction) -> tuple[FakeProvider, Ports]:
    provider = FakeProvider()
    ports = bought(provider)
    provider.lines = [*lines]
    assert run(ports) == len(lines)
    return provider, ports


def match(ports: Ports, *line_refs: str) -> int:
    where = _Open(*(line_refs or ("txn_9",)))
    return match_payouts(where, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)


def facts(ports: Ports, kind: type[Any]) -> list[Any]:
    events = [REGISTRY.decode(one.topic, one.state) for one in store_of(ports).log]
    return [event for event in events if isinstance(event, kind)]


def test_a_payout_is_the_sum_of_its_lines() -> None:
    """Its own line may be among them. Once it is matched, nothing more happens."""
    provider, ports = recorded(LINE, SECOND, PAYOUT)
    provider.payouts["po_1"] = [LINE, SECOND, PAYOUT]
    assert [match(ports), match(ports)] == [1, 0]
    assert [(one.line_ref, one.payout_ref) for one in facts(ports, PspLinePaidOut)] == [
        ("txn_1", "po_1"),
        ("txn_2", "po_1"),
    ]
    (one,) = facts(ports, PayoutReconciled)
    assert (one.outcome, one.lines, one.net_minor) == ("matched", 2, 12_080)


def test_a_line_that_was_never_recorded_is_now() -> None:
    """Such as after a fortnight without a scheduler."""
    provider, ports = recorded(SECOND, PAYOUT)
    provider.payouts["po_1"] = [LINE, SECOND]
    assert match(ports) == 1
    assert "txn_1" in {one.line_ref for one in facts(ports, PspLineRecorded)}


def test_what_does_not_add_up_stays_open() -> None:
    """A line is missing; when it is there, the payout is matched."""
    provider, ports = recorded(LINE, SECOND, PAYOUT)
    provider.payouts["po_1"] = [LINE]
    assert match(ports) == 0
    assert facts(ports, PayoutReconciled) == []
    provider.payouts["po_1"] = [LINE, SECOND]
    assert match(ports) == 1


def test_a_line_is_in_one_payout() -> None:
    """A second one that has it, too, stays open, though it adds up."""
    provider, ports = recorded(LINE, SECOND, PAYOUT, AGAIN)
    provider.payouts |= {"po_1": [LINE, SECOND], "po_2": [SECOND]}
    assert match(ports, "txn_9", "txn_10") == 1
    assert [one.payout_ref for one in facts(ports, PayoutReconciled)] == ["po_1"]


def test_a_payout_of_which_the_provider_says_nothing_is_noted_so() -> None:
    """One that somebody has asked for by hand would be open for ever."""
    provider, ports = recorded(LINE, PAYOUT)
    provider.payouts["po_1"] = None
    assert match(ports) == 1
    (one,) = facts(ports, PayoutReconciled)
    assert (one.outcome, one.lines) == ("untold", 0)


@pytest.mark.parametrize("line_ref", ["txn_1", "txn_404"])
def test_what_is_no_payout_that_is_known_is_passed_over(line_ref: str) -> None:
    """The list may be older than the log; a line that is in a payout is none itself."""
    provider, ports = recorded(LINE, SECOND, PAYOUT)
    provider.payouts["po_1"] = [LINE, SECOND]
    match(ports)
    assert match(ports, line_ref) == 0


def test_a_provider_that_is_away_is_for_the_next_run() -> None:
    """Others are matched nevertheless; a list that does not add up in itself is damage."""
    provider, ports = recorded(LINE, SECOND, PAYOUT)
    provider.payouts["po_1"] = [LINE, SECOND]
    provider.is_down = True
    assert match(ports) == 0
    provider.is_down = False
    provider.payouts["po_1"] = [LINE, replace(SECOND, transaction_ref="txn_3", net_minor=5)]
    assert match(ports) == 0
