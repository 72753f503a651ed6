"""Read model `statement`: what changed the credit of each account, and where in the log each figure comes from.

For statements and for explaining them. Must not be used to decide about money: it lags behind the log. Charges are
added up by quarter hour, key, alias and price version; every other change is a row. What is a change, the posting rules
say: a movement between what an account owns, lent or not, and any other account of the books.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec

from application.queries import clean
from application.reports.period import DAY_US, SLOT_US
from domain.ledger.claim_events import FrozenCreditTaken, ReceivableSettled, TakenCreditRestored
from domain.ledger.events import AdjustmentPosted, CreditLotGranted, CreditLotVoided, UsageCharged
from domain.ledger.postings import CURRENT_RULES, Posting, PostingRules, load_rules, postings
from projections.arrays import column_literals
from projections.books import MOVING, Booked, Books, mark_table
from projections.projection import Connection, Located, Table, Write
from projections.sums import TEXT, Cleaned, SumTable

_OWN: Final = frozenset({"wallet", "leased", "frozen"})
#: What a change is called, by the fact that made it.
_KINDS_OF: Final = {
    CreditLotGranted.TOPIC: "grant",
    AdjustmentPosted.TOPIC: "adjustment",
    CreditLotVoided.TOPIC: "void",
    FrozenCreditTaken.TOPIC: "refund",
    TakenCreditRestored.TOPIC: "refund_failed",
    ReceivableSettled.TOPIC: "debt",
}
#: Or else by the other account in the books; one that is not here goes by its own name.
_KINDS: Final = {"issued": "void", "breakage": "expiry"}


class _Charges(msgspec.Struct, gc=False):
    """Sums over charges, then what the first and the last of them set; its fields are columns."""

    charges: int = 0
    charge_nano: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    first_position: int = 0
    first_occurred_us: int = 0
    last_position: int = 0


class _Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of `statement_entries`; the fields stand in the order of the columns."""

    position: int
    place: int
    account_id: UUID
    slot_us: int
    occurred_us: int
    kind: str
    amount_nano: int
    counter_account: str
    lot_id: UUID | None
    reason: str | None


CHARGES = SumTable(
    name="statement_charges",
    key={
        "account_id": "uuid",
        "slot_us": "bigint",
        "key_id": "uuid",
        "alias": TEXT,
        "price_version": "bigint",
    },
    sums=_Charges.__struct_fields__[:10],
    kept=("first_position", "first_occurred_us"),
    newest=("last_position",),
)
DAYS = SumTable(
    name="statement_days",
    key={"account_id": "uuid", "day_us": "bigint"},
    sums=("change_nano", "charge_nano"),  #: of all changes, and of charges alone
)
_ENTRIES = Table(
    name="statement_entries",
    key="position, place",
    columns="""
        position bigint NOT NULL,
        place bigint NOT NULL,
        account_id uuid NOT NULL,
        slot_us bigint NOT NULL,
        occurred_us bigint NOT NULL,
        kind text NOT NULL,
        amount_nano bigint NOT NULL,
        counter_account text NOT NULL,
        lot_id uuid,
        reason text,
        PRIMARY KEY (position, place)
    """,
    indexes=("(account_id, slot_us)",),
)
_STORE_ENTRIES = """
    INSERT INTO {schema}.statement_entries
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[], %s::text[],
        %s::bigint[], %s::text[], %s::uuid[], %s::text[])
    WHERE {moved}
    ON CONFLICT (position, place) DO NOTHING
"""


def _changing(rules: PostingRules) -> frozenset[str]:
    """Topics that may move credit to or from what an account owns."""
    return frozenset(
        topic
        for topic, entries in rules.rules.items()
        if any((entry.debit in _OWN) != (entry.credit in _OWN) for entry in entries)
    )


class _Changes:
    """What a batch adds."""

    def __init__(self, rules: PostingRules) -> None:
        self.charges: dict[tuple[object, ...], _Charges] = {}
        self.entries: list[_Entry] = []
        self.days: dict[tuple[object, ...], list[int]] = {}
        self._rules = rules
        self._texts = Cleaned()

    def charge(self, at: Booked, event: UsageCharged) -> None:
        slot_us = at.booked_us - at.booked_us % SLOT_US
        key = (event.account_id, slot_us, event.key_id, self._texts[event.alias], event.price_version)
        sums = self.charges.get(key)
        if sums is None:
            sums = self.charges[key] = _Charges(
                first_position=at.fact.position, first_occurred_us=event.occurred_us
            )
        units = event.units
        sums.charges += 1
        sums.charge_nano += event.charge_nano
        sums.input_tokens += units.input
        sums.cached_input_tokens += units.cached_input
        sums.cache_write_tokens += units.cache_write + units.cache_write_long
        sums.output_tokens += units.output
        sums.images += units.images
        sums.audio_ms += units.audio_ms
        sums.characters += units.characters
        sums.searches += units.searches
        sums.last_position = at.fact.position
        day = self._change(at, event.account_id, -event.charge_nano)
        day[1] += event.charge_nano

    def enter(self, at: Booked) -> None:
        """A row for each movement to or from what an account owns."""
        movements = postings(self._rules, at.fact.event, stream_id=at.fact.stream_id)
        for place, posting in enumerate(one for one in movements if _is_change(one)):
            entry = _entry(at, posting, place=place)
            self.entries.append(entry)
            self._change(at, entry.account_id, entry.amount_nano)

    def _change(self, at: Booked, account_id: UUID, amount_nano: int) -> list[int]:
        key = (account_id, at.booked_us - at.booked_us % DAY_US)
        day = self.days.setdefault(key, [0, 0])
        day[0] += amount_nano
        return day


def _entry(at: Booked, posting: Posting, *, place: int) -> _Entry:
    is_loss = _head(posting.debit) in _OWN
    own, counter = (posting.debit, posting.credit) if is_loss else (posting.credit, posting.debit)
    head, account, thing, *_ = own.split(":")
    event: Any = at.fact.event
    reason = getattr(event, "reason", None)
    return _Entry(
        position=at.fact.position,
        place=place,
        account_id=UUID(account),
        slot_us=at.booked_us - at.booked_us % SLOT_US,
        occurred_us=event.occurred_us,
        kind=_KINDS_OF.get(event.TOPIC) or _KINDS.get(_head(counter), _head(counter)),
        amount_nano=-posting.amount_nano if is_loss else posting.amount_nano,
        counter_account=counter,
        lot_id=UUID(thing) if head == "wallet" else getattr(event, "lot_id", None),
        reason=None if reason is None else clean(reason),
    )


def _is_change(posting: Posting) -> bool:
    return (_head(posting.debit) in _OWN) != (_head(posting.credit) in _OWN)


def _head(account: str) -> str:
    return account.partition(":")[0]


class Statements:
    """The fold."""

    name: ClassVar[str] = "statement"
    version: ClassVar[int] = 200 + CURRENT_RULES  #: other rules are another fold
    tables: ClassVar[tuple[Table, ...]] = (CHARGES.table(), _ENTRIES, DAYS.table(), mark_table("statement"))
    topics: ClassVar[frozenset[str]] = MOVING

    def __init__(self) -> None:
        self._rules = load_rules()
        self._changing = _changing(self._rules)

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books, changes = Books(connection, schema, self.name), _Changes(self._rules)
        for booked in books.unseen(facts):
            event = booked.fact.event
            if isinstance(event, UsageCharged):
                changes.charge(booked, event)
            elif event.TOPIC in self._changing:
                changes.enter(booked)
        charges = {key: msgspec.structs.astuple(one) for key, one in changes.charges.items()}
        writes = [*CHARGES.add(charges), *DAYS.add(changes.days), books.mark()]
        if changes.entries:
            writes.append(
                Write(_STORE_ENTRIES, column_literals(map(msgspec.structs.astuple, changes.entries)))
            )
        return writes
