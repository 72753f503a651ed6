"""What was refused to an account in some time, added up by key and rule: for pages, where a flood of calls is one line."""

from uuid import UUID

from msgspec.structs import replace

from application.eventlog import EventStore
from domain.refusal_summaries import RefusalsSummarised, RefusedCalls, refusals_stream
from domain.topics import REGISTRY

_DAY_US = 86_400 * 1_000_000

_Rule = tuple[UUID, str, str | None]


def refused_between(
    store: EventStore, account_id: UUID, *, from_us: int, until_us: int
) -> tuple[RefusedCalls, ...]:
    """Calls from one instant until before another, the last refused first. Blocking: reads a stream for each day.

    What a gateway told in one go is counted whole where a part of it is in that time: a matter of seconds.
    """
    sums: dict[_Rule, RefusedCalls] = {}
    # An event is told a little after its calls, so perhaps on the day after them.
    for at_us in range(from_us, until_us + 2 * _DAY_US, _DAY_US):
        for recorded in store.read_stream(refusals_stream(account_id, at_us)):
            event = REGISTRY.decode(recorded.topic, recorded.state)
            assert isinstance(event, RefusalsSummarised)
            for one in event.refused:
                if one.first_us < until_us and one.last_us >= from_us:
                    rule = (one.key_id, one.code, one.rule)
                    sums[rule] = _added(sums[rule], one) if rule in sums else one
    return tuple(sorted(sums.values(), key=lambda one: -one.last_us))


def _added(one: RefusedCalls, other: RefusedCalls) -> RefusedCalls:
    """With the numbers of the last call."""
    last = max(one, other, key=lambda each: each.last_us)
    return replace(last, calls=one.calls + other.calls, first_us=min(one.first_us, other.first_us))
