"""What a provider says of a page for ways to pay is told to the account."""

from application.auto_recharge.stream import change_auto
from application.clock import Clock
from application.command import Done
from application.eventlog import EventStore
from domain.auto_recharge import ruling
from domain.auto_recharge.ruling import ObservedMethod
from domain.fact import Stamp


def observe_method(seen: ObservedMethod, *, store: EventStore, clock: Clock) -> Done:
    """Keep what was left there; raises `Contended` and `LogUnavailable`."""
    at = Stamp(now_us=clock.now_us(), actor=f"provider:{seen.provider}")
    return change_auto(store, seen.account_id, lambda auto: ruling.observe_method(auto, seen, stamp=at))
