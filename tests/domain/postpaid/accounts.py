"""An account that buys on account, and what it buys."""

from typing import Any
from uuid import UUID

from domain.fact import Actor, Stamp
from domain.postpaid.events import PostpaidEvent
from domain.postpaid.limiting import approve, propose
from domain.postpaid.owing import DAY_US, buy
from domain.postpaid.postpaid import Postpaid, evolve
from domain.recharge.events import OrderEvent, RechargeCredited, RechargeOrderPlaced
from domain.recharge.on_account import buy_on_account
from tests.domain.recharge.orders import ACCOUNT, NOW_US, OFFERS, ORDER
from tests.spec import Spec

ANNA, BERT = Actor("operator", UUID(int=71)), Actor("operator", UUID(int=72))
PROPOSAL = UUID(int=94)
DUE_US = NOW_US + 30 * DAY_US
LIMIT_MINOR = 20_000
SPEC = Spec(evolve, initial=Postpaid())
NOTHING = Postpaid()


def at(who: Actor = ANNA, now_us: int = NOW_US) -> Stamp:
    return Stamp(now_us=now_us, actor=who.label)


def proposed(postpaid: Postpaid = NOTHING, **changes: Any) -> list[PostpaidEvent]:
    """200.00 EUR, to be paid within thirty days, unless said otherwise."""
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "proposal_id": PROPOSAL,
        "currency": "EUR",
        "limit_minor": LIMIT_MINOR,
        "days_to_pay": 30,
        "reason": "has paid for years",
        "stamp": at(),
    }
    return propose(postpaid, **(given | changes))


def agreed(postpaid: Postpaid = NOTHING, **changes: Any) -> list[PostpaidEvent]:
    """The limit, proposed by Anna and approved by Bert."""
    begun = proposed(postpaid, **changes)
    for event in begun:
        postpaid = evolve(postpaid, event)
    proposal_id = changes.get("proposal_id", PROPOSAL)
    return [*begun, *approve(postpaid, proposal_id, account_id=ACCOUNT, by=BERT, stamp=at(BERT))]


def ordered(
    *, order_id: UUID = ORDER, amount_minor: int = 10_000, due_us: int = DUE_US, now_us: int = NOW_US
) -> list[OrderEvent]:
    """An order on account: 100.00 EUR and 19 % on top, unless said otherwise."""
    return buy_on_account(
        None,
        OFFERS,
        order_id=order_id,
        account_id=ACCOUNT,
        currency="EUR",
        amount_minor=amount_minor,
        country="DE",
        due_us=due_us,
        stamp=at(now_us=now_us),
    )


def bought(postpaid: Postpaid, **changes: Any) -> list[PostpaidEvent]:
    """That order, as it counts."""
    placed, credited = ordered(**changes)
    assert isinstance(placed, RechargeOrderPlaced)
    assert isinstance(credited, RechargeCredited)
    return buy(postpaid, placed, credited)
