"""An auditor of a log in Postgres: replays every event through the posting rules."""

from adapters.eventstore.store import PostgresEventStore
from domain.event import TopicRegistry
from domain.ledger.events import LEDGER_EVENTS, UsageCharged
from domain.ledger.postings import TrialBalance, load_rules, postings

TOPICS = TopicRegistry(*LEDGER_EVENTS)
PAGE_EVENTS = 10_000


def require_sound(store: PostgresEventStore) -> int:
    """After every single event no account is overdrawn, and in the end the books balance; what was charged in all."""
    rules = load_rules()
    balance = TrialBalance(rules)
    charged_nano = position = 0
    while page := store.read_log(after_position=position, limit=PAGE_EVENTS):
        position = page[-1].position
        for one in page:
            if not one.topic.startswith(("wallet.", "lease.")):
                continue
            fact = TOPICS.decode(one.topic, one.state)
            moved = list(postings(rules, fact, stream_id=one.stream_id))
            for posting in moved:
                balance.post(posting)
            touched = {name for posting in moved for name in (posting.debit, posting.credit)}
            assert not touched or balance.below_floor(*touched) == [], one
            charged_nano += fact.charge_nano if isinstance(fact, UsageCharged) else 0
    assert balance.total_nano() == 0
    return charged_nano
