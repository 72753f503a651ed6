"""Why calls were refused: the rule and its numbers, and how key and account were set at that moment."""

from uuid import UUID

import msgspec

from application.eventlog import EventStore
from application.explaining.as_of import AsOf
from application.explaining.moment import AccountThen, KeyThen, account_at, key_at
from domain.refusal import BadField
from domain.refusal_summaries import RefusalsSummarised, RefusedCalls, refusals_stream
from domain.topics import REGISTRY

RANGE_US_MAX = 31 * 86_400 * 1_000_000
_DAY_US = 86_400 * 1_000_000


class RefusalExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that one rule refused within a few seconds; key and account as they were then."""

    position: int
    refused: RefusedCalls
    key: KeyThen
    account: AccountThen


def explain_refusals(
    store: EventStore, account_id: UUID, *, from_us: int, until_us: int
) -> tuple[RefusalExplained, ...]:
    """What was refused to an account from one instant until before another, in the order of the log.

    Raises:
        BadField: the range is empty, or longer than 31 days.
        NotFound: there was no such account.
    """
    if not 0 < until_us - from_us <= RANGE_US_MAX:
        raise BadField("until_us", "must be after from_us, by 31 days at most")
    account_at(store, account_id, as_of=AsOf())
    found = []
    # An event is told a little after its calls, so perhaps on the day after them.
    for at_us in range(from_us, until_us + 2 * _DAY_US, _DAY_US):
        for recorded in store.read_stream(refusals_stream(account_id, at_us)):
            event = REGISTRY.decode(recorded.topic, recorded.state)
            assert isinstance(event, RefusalsSummarised)
            as_of = AsOf(position=recorded.position)
            found += [
                RefusalExplained(
                    position=recorded.position,
                    refused=one,
                    key=key_at(store, one.key_id, as_of=as_of),
                    account=account_at(store, account_id, as_of=as_of),
                )
                for one in event.refused
                if one.first_us < until_us and one.last_us >= from_us
            ]
    return tuple(sorted(found, key=lambda one: one.position))
