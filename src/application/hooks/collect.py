"""From the log to the queue: what happened becomes messages for the endpoints that there were then.

The position moves in the transaction that queues them, so nothing is lost and nothing is queued twice, whoever dies.
"""

from typing import Final, cast

from application.eventlog import EventStore, RecordedEvent
from application.hooks.kinds import KINDS, account_of, message_of
from application.hooks.ports import Collecting, Turn
from domain.hooks import endpoint as rules
from domain.hooks.events import EndpointEvent
from domain.topics import REGISTRY

_BATCH_EVENTS: Final = 500
_CONTEXT: Final = "endpoint."


def collect(queue: Collecting, store: EventStore) -> int:
    """Take one batch; how many events it had. 0: there is nothing new, or another process is at it.

    Raises:
        LogUnavailable: nothing was stored.
        UnknownTopic: the log is newer than this code; nothing behind it is taken.
    """
    with queue.turn() as turn:
        if turn is None:
            return 0
        batch = store.read_control(after_position=turn.position, limit=_BATCH_EVENTS)
        for recorded in batch:
            _take(recorded, turn, store)
        if batch:
            turn.move_to(batch[-1].position)
        return len(batch)


def _take(recorded: RecordedEvent, turn: Turn, store: EventStore) -> None:
    kind = KINDS.get(recorded.topic)
    is_ours = recorded.topic.startswith(_CONTEXT)
    if kind is None and not is_ours:
        return
    event = REGISTRY.decode(recorded.topic, recorded.state)
    if is_ours:
        fact = cast("EndpointEvent", event)
        turn.keep(rules.evolve(turn.endpoint(fact.endpoint_id), fact))
    if kind is None or not turn.has_endpoints():
        return
    account_id = account_of(event, recorded, store)
    if account_id is None:
        return
    message = message_of(recorded, kind, event, account_id=account_id)
    for endpoint in turn.endpoints_of(account_id):
        if endpoint.wants(kind.name):
            turn.put(endpoint.endpoint_id, message)
