"""The read model `auto_recharges`: where the rounds have to look."""

from uuid import UUID

import pytest

from application.auto_recharge.start import LowAccount
from domain.auto_recharge.auto import auto_stream
from domain.auto_recharge.events import (
    AutoRechargeDeclined,
    AutoRechargeEvent,
    AutoRechargeNeedsCustomer,
    AutoRechargePaid,
    AutoRechargeStopped,
)
from domain.event import Event
from domain.recharge.order import order_stream
from domain.recharge.placing import cancel
from projections.auto_recharges import AutoRechargeReader, AutoRecharges
from tests.domain.auto_recharge.autos import SPEC, at, order, placed_for, started, switched_on
from tests.domain.ledger import facts
from tests.domain.ledger.facts import ACCOUNT as SPENDER
from tests.domain.recharge.orders import ACCOUNT, NOW_US, folded
from tests.histories import numbered
from tests.projections.lab import Lab

WALLET = UUID(int=11)


@pytest.fixture
def reader(whole: Lab) -> AutoRechargeReader:
    return AutoRechargeReader(whole.pool)


def happen(lab: Lab, *events: AutoRechargeEvent) -> None:
    lab.log.extend(numbered(auto_stream(ACCOUNT), 1 + len(lab.log.events), events))
    lab.catch_up()


def low(reader: AutoRechargeReader, *, now_us: int = NOW_US) -> list[LowAccount]:
    return reader.low(now_us=now_us, limit=9)


def tried() -> list[AutoRechargeEvent]:
    return started(SPEC.fold(*switched_on()))


def declined(retry_us: int | None) -> AutoRechargeDeclined:
    return AutoRechargeDeclined(
        account_id=ACCOUNT,
        order_id=order(1),
        reason="x",
        declines=1,
        retry_us=retry_us,
        occurred_us=NOW_US,
        actor="system",
    )


def test_an_account_without_credit_is_low_while_its_rule_is_on(
    whole: Lab, reader: AutoRechargeReader
) -> None:
    """Nothing has happened to its balance yet."""
    assert low(reader) == []
    happen(whole, *switched_on())
    assert low(reader) == [LowAccount(account_id=ACCOUNT, balance_nano=0, position=0)]
    stopped = AutoRechargeStopped(account_id=ACCOUNT, reason="asked", occurred_us=NOW_US, actor="system")
    happen(whole, stopped)
    assert low(reader) == []


def test_a_balance_is_low_below_the_threshold_and_as_of_its_newest_event(
    whole: Lab, reader: AutoRechargeReader
) -> None:
    """At the threshold it is not; what is on hold is still there."""
    assert SPENDER != ACCOUNT
    events: list[Event] = [facts.lot(20_000_000_000)]
    whole.log.extend(numbered(WALLET, 1, events))
    own = [event.__class__(**_of(event, SPENDER)) for event in switched_on()]
    whole.log.extend(numbered(auto_stream(SPENDER), 1, own))
    whole.catch_up()
    assert low(reader) == []
    request_id = UUID(int=1_001)
    spent = [facts.admitted(request_id, 5), facts.charged(request_id, hold_nano=5, charge_nano=1)]
    whole.log.extend(numbered(UUID(int=12), 1, spent))
    whole.catch_up()
    expected = LowAccount(account_id=SPENDER, balance_nano=19_999_999_999, position=whole.log.head_position())
    assert low(reader) == [expected]


def _of(event: Event, account_id: UUID) -> dict[str, object]:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return fields | {"account_id": account_id}


def test_an_open_order_is_under_way_and_no_other_is_placed(whole: Lab, reader: AutoRechargeReader) -> None:
    """Until its end is known; after a decline there is a wait, after a credit a balance that has it."""
    happen(whole, *switched_on(), *tried())
    assert (low(reader), reader.under_way(limit=9)) == ([], [ACCOUNT])
    happen(whole, declined(NOW_US + 1))
    assert (low(reader), reader.under_way(limit=9)) == ([], [])
    assert len(low(reader, now_us=NOW_US + 1)) == 1
    again = started(SPEC.fold(*switched_on(), *tried(), declined(NOW_US + 1)), us=NOW_US + 1)
    paid = AutoRechargePaid(
        account_id=ACCOUNT, order_id=order(2), credited_position=9, occurred_us=NOW_US, actor="system"
    )
    happen(whole, *again, paid)
    assert low(reader, now_us=NOW_US + 2) == []
    assert whole.rebuild(AutoRecharges.name) == whole.hashes()[AutoRecharges.name]


def test_an_order_of_its_customer_is_looked_at_when_it_has_ended(
    whole: Lab, reader: AutoRechargeReader
) -> None:
    """While they may pay it, there is nothing to be done."""
    needed = AutoRechargeNeedsCustomer(
        account_id=ACCOUNT, order_id=order(1), occurred_us=NOW_US, actor="system"
    )
    placed = placed_for(SPEC.fold(*switched_on()))
    whole.log.extend(numbered(order_stream(order(1)), 1, [placed]))
    happen(whole, *switched_on(), *tried(), needed)
    assert reader.under_way(limit=9) == []
    ended = cancel(folded(placed), reason="x", stamp=at())
    whole.log.extend(numbered(order_stream(order(1)), 2, ended))
    whole.catch_up()
    assert reader.under_way(limit=9) == [ACCOUNT]
