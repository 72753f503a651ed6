"""A low balance is turned into an order, which is stored in one append with the reason for it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.auto_recharge.stream import change_auto
from application.auto_recharge.terms import terms_of
from application.clock import Clock
from application.command import Done, new_event
from application.eventlog import EventStore, NewEvent
from domain.auto_recharge import ruling, trying
from domain.auto_recharge.auto import Auto, order_of
from domain.auto_recharge.events import AutoRechargeEvent, AutoRechargeTried
from domain.auto_recharge.trying import Seen, is_due
from domain.fact import SYSTEM, Stamp
from domain.recharge.events import RechargeOrderPlaced
from domain.recharge.offers import AmountNotOffered
from domain.recharge.order import order_stream
from domain.recharge.placing import place
from domain.refusal import BadField, NotFound


class LowAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose balance is below the threshold of its rule, as a read model has it."""

    account_id: UUID
    balance_nano: int
    position: int  #: of the newest event in the balance


def start(low: LowAccount, *, store: EventStore, clock: Clock) -> Done:
    """Place the order, if it is due and the cap lets it. It is the same order whoever decides it how often.

    What is not offered any more stops the rule.

    Raises:
        EventLogError: nothing was stored.
    """
    at = Stamp(now_us=clock.now_us(), actor=SYSTEM.label)
    seen = Seen(balance_nano=low.balance_nano, position=low.position)
    placed: list[RechargeOrderPlaced] = []

    def decide(auto: Auto) -> Sequence[AutoRechargeEvent]:
        if not is_due(auto, seen, now_us=at.now_us):
            return []
        placed[:] = [_order(auto, low.account_id, store=store, at=at)]
        return trying.start(auto, seen, placed=placed[0], stamp=at)

    def beside(decided: Sequence[AutoRechargeEvent]) -> list[NewEvent]:
        if not any(isinstance(event, AutoRechargeTried) for event in decided):
            return []
        return [new_event(order_stream(placed[0].order_id), 1, placed[0])]

    try:
        return change_auto(store, low.account_id, decide, beside=beside)
    except (NotFound, AmountNotOffered, BadField):
        return change_auto(
            store,
            low.account_id,
            lambda auto: ruling.stop(auto, account_id=low.account_id, reason="not_offered", stamp=at),
        )


def _order(auto: Auto, account_id: UUID, *, store: EventStore, at: Stamp) -> RechargeOrderPlaced:
    rule, method = auto.rule, auto.method
    assert rule is not None, "what is due has a rule"
    assert method is not None, "and a way to pay"
    terms = terms_of(store, account_id, rule)
    (placed,) = place(
        None,
        terms.offers,
        order_id=order_of(account_id, auto.tries + 1),
        account_id=account_id,
        provider=method.provider,
        mode=method.mode,
        currency=rule.currency,
        amount_minor=rule.amount_minor,
        country=terms.buyer.country,
        reverse_charge=terms.buyer.reverse_charge,
        stamp=at,
    )
    assert isinstance(placed, RechargeOrderPlaced), "the first fact of an order"
    return placed
