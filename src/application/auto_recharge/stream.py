"""The stream of an account's automatic recharges."""

from collections.abc import Callable, Sequence
from uuid import UUID

from application.command import Done, execute, load
from application.eventlog import EventStore, NewEvent
from domain.auto_recharge.auto import Auto, auto_stream, evolve
from domain.auto_recharge.events import AutoRechargeEvent

Decide = Callable[[Auto], Sequence[AutoRechargeEvent]]
Beside = Callable[[Sequence[AutoRechargeEvent]], Sequence[NewEvent]]


def load_auto(store: EventStore, account_id: UUID) -> Auto:
    """As it is now; blank for an account that never had any."""
    return load(store, auto_stream(account_id), Auto(), evolve)


def change_auto(store: EventStore, account_id: UUID, decide: Decide, *, beside: Beside | None = None) -> Done:
    """Run one decision and store it; raises as `execute`."""
    return execute(store, auto_stream(account_id), Auto(), evolve, decide, beside=beside)
