"""What was refused to an account on a day: for operators, and for the account's members. Single calls are in no record (ADR 33)."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.admin.views import names_of
from api.console import looking
from api.console.pages import Pages
from application.refusals.of_a_time import refused_between


def refused_context(pages: Pages, account_id: UUID | None, *, day: str, zone: str) -> dict[str, Any]:
    """Today for a day that cannot be read, and nothing without an account. Blocking."""
    ports = pages.tools.admin.ports
    if looking.day_us(day, zone) is None:
        day = day_of(ports.clock.now_us(), zone)
    from_us, until_us = looking.day_us(day, zone), looking.day_us(day, zone, end=True)
    assert from_us is not None
    assert until_us is not None
    rows = (
        refused_between(ports.store, account_id, from_us=from_us, until_us=until_us)
        if account_id is not None
        else ()
    )
    return {"rows": rows, "names": names_of(ports, list({one.key_id for one in rows})), "day": day}


def day_of(time_us: int, zone: str) -> str:
    return datetime.fromtimestamp(time_us // 1_000_000, tz=ZoneInfo(zone)).date().isoformat()
