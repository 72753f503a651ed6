"""Budgets and facts about them, with only what a test talks about to be said."""

from typing import Any
from uuid import UUID

import msgspec

from domain.budgets.budget import Budget
from domain.budgets.events import BudgetSet, BudgetShareGranted, BudgetShareReturned, BudgetShareSettled
from domain.budgets.window import BudgetWindow
from domain.fact import Stamp
from tests.domain.ledger.facts import ACCOUNT, KEY, LEASE, NOW, OWNER

BUDGET = UUID(int=50)
DAY = BudgetWindow(kind="day")
BUCKET = NOW - NOW % (24 * 3_600_000_000)
STAMP = Stamp(now_us=NOW, actor="system")


def budget(amount_nano: int = 100, **more: Any) -> Budget:
    plain = Budget(
        budget_id=BUDGET,
        account_id=ACCOUNT,
        key_id=KEY,
        amount_nano=amount_nano,
        window=DAY,
        enforcement="hard",
        alert_percents=(80, 100),
    )
    return msgspec.structs.replace(plain, **more)


def budget_set(amount_nano: int = 100, **more: Any) -> BudgetSet:
    plain = BudgetSet(
        budget_id=BUDGET,
        account_id=ACCOUNT,
        key_id=KEY,
        amount_nano=amount_nano,
        window=DAY,
        enforcement="hard",
        alert_percents=(80, 100),
        occurred_us=NOW,
        actor="system",
    )
    return msgspec.structs.replace(plain, **more)


def granted(
    amount_nano: int, *, lease: UUID = LEASE, bucket: int = BUCKET, of: int = 100
) -> BudgetShareGranted:
    return BudgetShareGranted(
        budget_id=BUDGET,
        bucket_us=bucket,
        lease_id=lease,
        account_id=ACCOUNT,
        owner=OWNER,
        amount_nano=amount_nano,
        budget_nano=of,
        occurred_us=NOW,
    )


def returned(amount_nano: int, *, lease: UUID = LEASE, bucket: int = BUCKET) -> BudgetShareReturned:
    return BudgetShareReturned(
        budget_id=BUDGET, bucket_us=bucket, lease_id=lease, amount_nano=amount_nano, occurred_us=NOW
    )


def settled(
    charged_nano: int, returned_nano: int, *, lease: UUID = LEASE, bucket: int = BUCKET
) -> BudgetShareSettled:
    return BudgetShareSettled(
        budget_id=BUDGET,
        bucket_us=bucket,
        lease_id=lease,
        charged_nano=charged_nano,
        returned_nano=returned_nano,
        occurred_us=NOW,
    )
