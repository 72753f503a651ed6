"""The questions to the read model `usage`: implements `application.reports.usage.UsageQueries`."""

from application.reports.usage import (
    EarningsGroup,
    EarningsPage,
    EarningsRow,
    GroupValues,
    UsageFilter,
    UsageGroup,
    UsagePage,
    UsageRow,
    percentile_ms,
)
from projections.grouping import GroupedSums, smallest
from projections.projection import Pool
from projections.usage import ALL_EARNINGS, ALL_USES, DURATIONS


class UsageReader:
    """Reads what is in use; rows of one answer are of one moment, pages of different ones."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def usage(
        self,
        wanted: UsageFilter,
        *,
        by: tuple[UsageGroup, ...],
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> UsagePage:
        rows, next_after = _question(wanted, by, zone).page(self._pool, after=after, limit=limit)
        return UsagePage(items=tuple(_usage_row(*row) for row in rows), next_after=next_after)

    def dearest(
        self, wanted: UsageFilter, *, by: UsageGroup, zone: str = "UTC", limit: int = 100
    ) -> tuple[UsageRow, ...]:
        rows = _question(wanted, (by,), zone).most(self._pool, of="charge_nano", limit=limit)
        return tuple(_usage_row(*row) for row in rows)

    def earnings(
        self,
        wanted: UsageFilter,
        *,
        by: tuple[EarningsGroup, ...],
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> EarningsPage:
        table = smallest(ALL_EARNINGS, by=by, wanted=wanted)
        question = GroupedSums(table=table.name, sums=table.sums, by=by, wanted=wanted, zone=zone)
        rows, next_after = question.page(self._pool, after=after, limit=limit)
        items = tuple(
            EarningsRow(
                group=group,
                margin_nano=sums["charge_nano"] + sums["late_nano"] - sums["cost_nano"],
                **sums,
            )
            for group, sums in rows
        )
        return EarningsPage(items=items, next_after=next_after)


def _question(wanted: UsageFilter, by: tuple[UsageGroup, ...], zone: str) -> GroupedSums:
    table = smallest(ALL_USES, by=by, wanted=wanted)
    return GroupedSums(table=table.name, sums=table.sums, by=by, wanted=wanted, zone=zone)


def _usage_row(group: GroupValues, sums: dict[str, int]) -> UsageRow:
    counts = tuple(sums[name] for name in DURATIONS)
    return UsageRow(
        group=group,
        **{name: value for name, value in sums.items() if name not in DURATIONS},
        duration_p50_ms=percentile_ms(counts, percent=50),
        duration_p95_ms=percentile_ms(counts, percent=95),
        duration_p99_ms=percentile_ms(counts, percent=99),
    )
