"""How often a customer may ask."""

from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from litestar import Request

from api.admin.problems import on_error
from api.customer.pace import REQUESTS_A_MINUTE, Pace
from application.limits import RateLimited
from tests.fakes import ManualClock

ADA, BEN = UUID(int=1), UUID(int=2)


def test_who_asks_too_often_is_refused_and_nobody_else() -> None:
    """As 429 with the time to wait; a while later they may ask again."""
    clock = ManualClock()
    pace = Pace(clock)
    for _ in range(REQUESTS_A_MINUTE):
        pace.take(ADA)
    with pytest.raises(RateLimited) as refusal:
        pace.take(ADA)
    pace.take(BEN)
    answer = on_error(cast("Request[Any, Any, Any]", None), refusal.value)
    assert answer.status_code == 429
    assert msgspec.json.decode(answer.content)["code"] == "rate_limit_exceeded"
    assert answer.headers["retry-after"] == "1"
    clock.move(0.2)
    pace.take(ADA)
