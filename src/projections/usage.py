"""Read model `usage`: what was asked, used and charged by quarter hours, and what it earned by provider and model.

Tables by fewer columns stand beside the finest ones: a question is answered from the smallest that can, since a page
must not add up a row for each key of each customer in each quarter of an hour of a month.

For reports and dashboards. Must not be used to bill or to limit: statements are a read model of their own, and limits
stand in the leases. A request counts when it ends; what its provider told later counts when that was told. What the log does
not say of one is empty: the key and the alias of an abandoned request, the operation of one that was released.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec

from application.queries import CHAT
from application.reports.period import SLOT_US
from application.reports.usage import DURATION_BOUNDS_MS
from domain.event import Event
from domain.ledger.charges import UsageReportedLate
from domain.ledger.events import Attempt, RequestAbandoned, RequestReleased, Units, UsageCharged
from projections.books import MOVING, Booked, Books, mark_table
from projections.grouping import UNKNOWN_KEY
from projections.projection import Connection, Located, Table, Write, topics_of
from projections.sums import TEXT, Cleaned, SumTable

DURATIONS: Final = (*(f"below_{bound_ms}_ms" for bound_ms in DURATION_BOUNDS_MS), "longer")
_SHORTEST_BITS: Final = DURATION_BOUNDS_MS[0].bit_length() - 1


class _Use(msgspec.Struct, gc=False):
    """Sums over the requests of one key of the table; its fields are columns."""

    requests: int = 0
    charged: int = 0
    released: int = 0
    abandoned: int = 0
    estimated: int = 0
    late_reports: int = 0
    charge_nano: int = 0
    late_nano: int = 0
    shortfall_nano: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    images: int = 0
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    duration_ms: int = 0
    first_byte_ms: int = 0


class _Earning(msgspec.Struct, gc=False):
    """Sums over the calls of one model at one provider; its fields are columns."""

    attempts: int = 0
    failed: int = 0
    served: int = 0
    charge_nano: int = 0
    late_nano: int = 0
    cost_nano: int = 0
    uncosted: int = 0


USES = SumTable(
    name="usage_slots",
    key={"slot_us": "bigint", "account_id": "uuid", "key_id": "uuid", "alias": TEXT, "operation": TEXT},
    sums=_Use.__struct_fields__ + DURATIONS,
    indexes=("(account_id, slot_us)",),
)
EARNINGS = SumTable(
    name="usage_earnings",
    key={
        "slot_us": "bigint",
        "account_id": "uuid",
        "key_id": "uuid",
        "alias": TEXT,
        "provider": TEXT,
        "model": TEXT,
    },
    sums=_Earning.__struct_fields__,
)
ALL_USES = (
    USES.coarser("usage_of_all", "slot_us", "alias", "operation"),
    USES.coarser("usage_of_accounts", "account_id", "slot_us", "alias"),
    USES,
)
"""From the smallest table to the finest."""
ALL_EARNINGS = (EARNINGS.coarser("usage_margins", "slot_us", "alias", "provider", "model"), EARNINGS)


class _Changes:
    """What a batch adds."""

    def __init__(self) -> None:
        self.uses: dict[tuple[object, ...], tuple[_Use, list[int]]] = {}
        self.earnings: dict[tuple[object, ...], _Earning] = {}
        self._texts = Cleaned()

    def use(
        self, at: Booked, event: Any, *, key_id: UUID = UNKNOWN_KEY, alias: str = "", operation: str = ""
    ) -> tuple[_Use, list[int]]:
        """The row that a request counts in."""
        slot_us = at.booked_us - at.booked_us % SLOT_US
        key = (slot_us, event.account_id, key_id, self._texts[alias], self._texts[operation])
        row = self.uses.get(key)
        if row is None:
            row = self.uses[key] = (_Use(), [0] * len(DURATIONS))
        return row

    def try_all(self, at: Booked, event: UsageCharged | RequestReleased, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            earning = self.earning(at, event, provider=attempt.provider, model=attempt.model)
            earning.attempts += 1
            earning.failed += attempt.outcome != "ok"
            if attempt.cost_nano is None:
                earning.uncosted += attempt.outcome == "ok"
            else:
                earning.cost_nano += attempt.cost_nano

    def earning(
        self,
        at: Booked,
        event: UsageCharged | RequestReleased | UsageReportedLate,
        *,
        provider: str,
        model: str,
    ) -> _Earning:
        """The row of one model at one provider."""
        texts = self._texts
        slot_us = at.booked_us - at.booked_us % SLOT_US
        key = (slot_us, event.account_id, event.key_id, texts[event.alias], texts[provider], texts[model])
        row = self.earnings.get(key)
        if row is None:
            row = self.earnings[key] = _Earning()
        return row


def _charged(changes: _Changes, event: UsageCharged, at: Booked) -> None:
    use, durations = changes.use(
        at, event, key_id=event.key_id, alias=event.alias, operation=event.operation or CHAT
    )
    use.requests += 1
    use.charged += 1
    use.estimated += event.usage_source == "estimated"
    use.charge_nano += event.charge_nano
    use.shortfall_nano += event.shortfall_nano
    _count(use, event.units, 1)
    use.duration_ms += event.total_ms
    use.first_byte_ms += event.first_byte_ms
    place = event.total_ms.bit_length() - _SHORTEST_BITS
    durations[min(max(place, 0), len(DURATIONS) - 1)] += 1
    changes.try_all(at, event, event.attempts)
    model = event.attempts[-1].model if event.attempts else ""
    earning = changes.earning(at, event, provider=event.provider, model=model)
    earning.served += 1
    earning.charge_nano += event.charge_nano


def _released(changes: _Changes, event: RequestReleased, at: Booked) -> None:
    use, _ = changes.use(at, event, key_id=event.key_id, alias=event.alias)
    use.requests += 1
    use.released += 1
    changes.try_all(at, event, event.attempts)


def _abandoned(changes: _Changes, event: RequestAbandoned, at: Booked) -> None:
    use, _ = changes.use(at, event)
    use.requests += 1
    use.abandoned += 1


def _told_late(changes: _Changes, event: UsageReportedLate, at: Booked) -> None:
    """What is known now in place of what was known before, in the time in which it was told."""
    use, _ = changes.use(at, event, key_id=event.key_id, alias=event.alias, operation=event.operation)
    late_nano = event.charge_nano - event.charge_before_nano
    use.late_reports += 1
    use.late_nano += late_nano
    use.shortfall_nano += event.shortfall_nano - event.shortfall_back_nano
    _count(use, event.units, 1)
    _count(use, event.units_before, -1)
    earning = changes.earning(at, event, provider=event.provider, model=event.model)
    earning.late_nano += late_nano
    earning.cost_nano += (event.cost_nano or 0) - (event.cost_before_nano or 0)


def _count(use: _Use, units: Units, times: int) -> None:
    use.input_tokens += units.input * times
    use.cached_input_tokens += units.cached_input * times
    use.cache_write_tokens += (units.cache_write + units.cache_write_long) * times
    use.output_tokens += units.output * times
    use.reasoning_tokens += units.reasoning * times
    use.images += units.images * times
    use.audio_ms += units.audio_ms * times
    use.characters += units.characters * times
    use.searches += units.searches * times


_FOLDS: dict[type[Event], Callable[[_Changes, Any, Booked], None]] = {
    UsageCharged: _charged,
    RequestReleased: _released,
    RequestAbandoned: _abandoned,
    UsageReportedLate: _told_late,
}


class Usage:
    """The fold."""

    name: ClassVar[str] = "usage"
    version: ClassVar[int] = 4
    tables: ClassVar[tuple[Table, ...]] = (
        *(one.table() for one in (*ALL_USES, *ALL_EARNINGS)),
        mark_table("usage"),
    )
    topics: ClassVar[frozenset[str]] = topics_of(_FOLDS) | MOVING

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books, changes = Books(connection, schema, self.name), _Changes()
        for booked in books.unseen(facts):
            event = booked.fact.event
            fold = _FOLDS.get(type(event))
            if fold is not None:
                fold(changes, event, booked)
        uses = {
            key: (*msgspec.structs.astuple(use), *durations) for key, (use, durations) in changes.uses.items()
        }
        earnings = {key: msgspec.structs.astuple(one) for key, one in changes.earnings.items()}
        writes = [write for one in ALL_USES for write in one.add(one.sums_of(USES, uses))]
        writes += [write for one in ALL_EARNINGS for write in one.add(one.sums_of(EARNINGS, earnings))]
        return [*writes, books.mark()]
