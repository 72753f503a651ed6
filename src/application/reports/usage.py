"""What was asked, used, charged and earned, added up by what the asker wants: the answers' shapes and the port.

Amounts are nano-credits. A request counts when its end was recorded; days and hours are those of a time zone.
"""

from typing import Final, Literal, Protocol, TypeVar, get_args
from uuid import UUID

import msgspec

from application.reports.period import Period
from domain.refusal import BadField

UsageGroup = Literal["hour", "day", "month", "account", "key", "member", "alias", "operation"]
"""A request is that member's who made its key in the workspace; keys that operators or programs made are nobody's."""
EarningsGroup = Literal["hour", "day", "month", "account", "key", "alias", "provider", "model"]

Group = TypeVar("Group", UsageGroup, EarningsGroup)

#: Durations are counted by powers of two; a last class is for what is longer.
DURATION_BOUNDS_MS: Final = tuple(1 << power for power in range(4, 18))


def usage_groups(names: str) -> tuple[UsageGroup, ...]:
    """Groups as they are written in a query: `day,alias`.

    Raises:
        BadField: one of them is none.
    """
    return _groups(names, tuple[UsageGroup, ...])


def earnings_groups(names: str) -> tuple[EarningsGroup, ...]:
    """As `usage_groups`."""
    return _groups(names, tuple[EarningsGroup, ...])


def _groups(names: str, kind: type[tuple[Group, ...]]) -> tuple[Group, ...]:
    try:
        return msgspec.convert(tuple(filter(None, names.split(","))), kind)
    except msgspec.ValidationError:
        choices = ", ".join(get_args(get_args(kind)[0]))
        raise BadField("by", f"must be some of {choices}, with commas between them") from None


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests to add up; an unset field allows all."""

    period: Period
    account_id: UUID | None = None
    key_id: UUID | None = None
    alias: str | None = None


class GroupValues(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the requests of a row have in common: the groups that were asked for, as far as the log knows them.

    An hour is `2026-11-29T13:00`, a day `2026-11-29`, a month `2026-11`.
    """

    hour: str | None = None
    day: str | None = None
    month: str | None = None
    account: UUID | None = None
    key: UUID | None = None
    member: UUID | None = None
    alias: str | None = None
    operation: str | None = None
    provider: str | None = None
    model: str | None = None


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the requests of one group. Units, durations and amounts are of those that were charged.

    What providers told after the end of a request counts when it was told, as a difference: units may be below zero.
    """

    group: GroupValues
    requests: int
    charged: int
    released: int  #: ended with an error, charged nothing
    abandoned: int  #: broken off with their gateway process, charged nothing
    estimated: int  #: charged by our estimate, since the provider told no usage
    late_reports: int  #: how often a provider told the usage of a request after its end
    charge_nano: int
    late_nano: int  #: what customers pay by such reports beside `charge_nano`; below zero: get back
    shortfall_nano: int
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    images: int
    audio_ms: int
    characters: int
    searches: int
    duration_ms: int  #: of all together
    first_byte_ms: int  #: likewise
    duration_p50_ms: int | None
    """Percentiles are interpolated within a power of two; `None` if nothing was charged."""
    duration_p95_ms: int | None
    duration_p99_ms: int | None


class UsagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order of their groups. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[UsageRow, ...]
    next_after: str | None


class EarningsRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the calls of one group: a request's charge counts where it was served, a call where it went."""

    group: GroupValues
    attempts: int
    failed: int
    served: int
    charge_nano: int
    late_nano: int  #: as in `UsageRow`
    cost_nano: int  #: what providers take, for failed calls too, as far as it is known
    uncosted: int  #: calls that served and of which it is not known: their deployments have no `cost`
    margin_nano: int  #: charged, late too, less cost

    @property
    def revenue_nano(self) -> int:
        """What customers pay."""
        return self.charge_nano + self.late_nano


class EarningsPage(msgspec.Struct, frozen=True, kw_only=True):
    """As `UsagePage`."""

    items: tuple[EarningsRow, ...]
    next_after: str | None


class UsageQueries(Protocol):
    """Usage as last projected. `after` and `limit` page; a limit is capped at `PAGE_ROWS_MAX`.

    Raises (each method):
        BadField: the zone is not known, a group is named twice, or `after` is none of ours.
    """

    def usage(
        self,
        wanted: UsageFilter,
        *,
        by: tuple[UsageGroup, ...],
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> UsagePage: ...

    def dearest(
        self, wanted: UsageFilter, *, by: UsageGroup, zone: str = "UTC", limit: int = 100
    ) -> tuple[UsageRow, ...]:
        """The groups that were charged most, the dearest first, however many there are."""
        ...

    def earnings(
        self,
        wanted: UsageFilter,
        *,
        by: tuple[EarningsGroup, ...],
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> EarningsPage: ...


def percentile_ms(counts: tuple[int, ...], *, percent: int) -> int | None:
    """The duration below which so many of them lie, by their counts in the classes of `DURATION_BOUNDS_MS`.

    In the last class, which has no end, its beginning.
    """
    rank = -(-sum(counts) * percent // 100)
    if not rank:
        return None
    below_ms = seen = 0
    for count, bound_ms in zip(counts, DURATION_BOUNDS_MS, strict=False):
        if seen + count >= rank:
            return below_ms + (bound_ms - below_ms) * (rank - seen) // count
        seen += count
        below_ms = bound_ms
    return below_ms
