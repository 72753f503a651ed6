"""What was bought on account beyond what was agreed is found by `ledger verify` and by the audit program."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from application.verify import render_text
from domain.postpaid.events import (
    AccountOrderPaid,
    AccountOrderReduced,
    BoughtOnAccount,
    PostpaidLimitApproved,
    PostpaidLimitProposed,
)
from domain.recharge.events import PaymentCaptured, RechargeCredited, RefundSucceeded
from domain.topics import REGISTRY
from tests.application.recharge.on_account import on_account, trusted
from tests.application.recharge.test_on_account import settle, store_of, take_back
from tests.application.verify.test_auto_recharges import drop
from tests.application.verify.test_lots import Story, check, edit
from tests.audit.test_lots import audited
from tests.domain.recharge.orders import ORDER

SECOND = UUID(int=911)
BY_ANNA = "operator:00000000-0000-0000-0000-000000000047"


def story() -> Story:
    """A lawful one, by the real handlers: two orders within the limit, one less by a part that is taken back, and both are paid."""
    ports = trusted(limit_minor=30_000)
    on_account(ports)
    on_account(ports, order_id=SECOND)
    take_back(ports, SECOND, 1_190)
    settle(ports)
    settle(ports, SECOND)
    return [(one.stream_id, REGISTRY.decode(one.topic, one.state)) for one in store_of(ports).log]


FAULTS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "without a limit": ("C04", drop(PostpaidLimitApproved)),
    "a limit of nobody's": ("C04", drop(PostpaidLimitProposed)),
    "approved by who proposed": ("C04", edit(PostpaidLimitApproved, actor=BY_ANNA)),
    "another limit than proposed": ("C04", edit(PostpaidLimitApproved, limit_minor=40_000)),
    "beyond the limit": ("C04", edit(PostpaidLimitProposed, limit_minor=20_000)),
    "in another currency": ("C04", edit(BoughtOnAccount, currency="USD")),
    "while overdue": ("C04", edit(BoughtOnAccount, due_us=1)),
    "a purchase that is not counted": ("C04", drop(BoughtOnAccount)),
    "a purchase of no order": ("C04", drop(RechargeCredited)),
    "counted with less": ("C04", edit(BoughtOnAccount, amount_minor=1)),
    "another sum": ("C04", edit(BoughtOnAccount, 1, unpaid_minor=11_900)),
    "a payment that is not counted": ("C04", drop(AccountOrderPaid)),
    "a payment of nobody's": ("C04", drop(PaymentCaptured)),
    "paid in part": ("C04", edit(AccountOrderPaid, amount_minor=1)),
    "a part that is not counted": ("C04", drop(AccountOrderReduced)),
    "a part that went nowhere": ("C04", drop(RefundSucceeded)),
    "of another account": ("L03", edit(BoughtOnAccount, account_id=UUID(int=5))),
}


def test_a_lawful_story_is_clean(tmp_path: Path) -> None:
    """By both programs."""
    told = story()
    assert [type(event) for _, event in told].count(BoughtOnAccount) == 2
    assert ORDER in {getattr(event, "order_id", None) for _, event in told}
    report = check(told)
    assert report.ok, render_text(report)
    assert audited(tmp_path, told)["counts"] == {}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_both(tmp_path: Path, name: str) -> None:
    """Under the same code."""
    code, fault = FAULTS[name]
    told = story()
    fault(told)
    assert code in check(told).counts
    assert code in audited(tmp_path, told)["counts"]
