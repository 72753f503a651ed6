"""What a customer sees of a charge that is looked at, and whether it can be disputed: a part of the request's page."""

from typing import Any

from api.console.pages import Pages
from application.queries import RequestRow
from application.reports.adjustments import AdjustmentFilter
from application.reports.reviews import ReviewFilter, ReviewRow
from domain.ledger.disputing import is_in_time


def dispute_context(pages: Pages, row: RequestRow) -> dict[str, Any]:
    """Blocking. As last projected: the command decides, and says so if this was behind."""
    tools, now_us = pages.tools.admin, pages.tools.admin.ports.clock.now_us()
    wanted = ReviewFilter(request_id=row.request_id)
    looked_at = next(iter(tools.reviews.reviews(wanted, now_us=now_us, limit=1).items), None)
    correction = None
    if looked_at is not None and looked_at.adjustment_id is not None:
        asked = tools.adjustments.adjustments(AdjustmentFilter(ref=row.request_id)).items
        correction = next((one for one in asked if one.adjustment_id == looked_at.adjustment_id), None)
    return {
        "looked_at": looked_at,
        "correction": correction,
        "may_dispute": _may_dispute(row, looked_at, now_us=now_us),
    }


def _may_dispute(row: RequestRow, looked_at: ReviewRow | None, *, now_us: int) -> bool:
    is_open = looked_at is not None and looked_at.state == "waiting" and looked_at.cause is not None
    paid_nano = row.charge_nano
    if looked_at is not None and looked_at.right_nano is not None:
        paid_nano = looked_at.right_nano
    in_time = row.ended_us is not None and is_in_time(ended_us=row.ended_us, now_us=now_us)
    return row.state == "charged" and paid_nano > 0 and in_time and not is_open
