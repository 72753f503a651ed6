"""What leases that have ended charged to budgets. Blocking."""

from typing import cast
from uuid import UUID

from application.eventlog import EventStore
from domain.event import TopicRegistry
from domain.ledger import lease as rules
from domain.ledger.events import LEASE_EVENTS, LeaseEvent
from domain.ledger.lease import Lease
from domain.ledger.shares import BudgetBucket

_topics = TopicRegistry(*LEASE_EVENTS)


def charged_by(store: EventStore, lease_id: UUID, bucket: BudgetBucket) -> int | None:
    """What an ended lease charged to a bucket, for ever: nothing fits behind its end. None if it has not ended.

    Raises:
        LogUnavailable: the log cannot be read.
    """
    lease = Lease(lease_id)
    for recorded in store.read_stream(lease_id):
        rules.evolve(lease, cast("LeaseEvent", _topics.decode(recorded.topic, recorded.state)))
    if not lease.version or not lease.ended:
        return None
    share = lease.shares.get(bucket)
    return 0 if share is None else share.charged_nano
