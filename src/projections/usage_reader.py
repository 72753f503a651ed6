"""The questions to the read model `usage`: implements `application.reports.usage.UsageQueries`."""

from application.reports.usage import (
    EarningsGroup,
    EarningsPage,
    EarningsRow,
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
        table = smallest(ALL_USES, by=by, wanted=wanted)
        question = GroupedSums(table=table.name, sums=table.sums, by=by, wanted=wanted, zone=zone)
        rows, next_after = question.page(self._pool, after=after, limit=limit)
        items = []
        for group, sums in rows:
            counts = tuple(sums.pop(name) for name in DURATIONS)
            items.append(
                UsageRow(
                    group=group,
                    **sums,
                    duration_p50_ms=percentile_ms(counts, percent=50),
                    duration_p95_ms=percentile_ms(counts, percent=95),
                    duration_p99_ms=percentile_ms(counts, percent=99),
                )
            )
        return UsagePage(items=tuple(items), next_after=next_after)

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
