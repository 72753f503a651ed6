"""Read model `codes`: batches of codes, and which accounts have redeemed some.

For operators who look after a campaign. Must not be used to decide whether a code is good: its own stream does that.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from application.promotions.queries import BatchPage, BatchRow, RedemptionPage, RedemptionRow
from application.queries import PAGE_ROWS_MAX, clean
from domain.promotions.events import CodeBatchIssued, CodeBatchWithdrawn, RedemptionCodeRedeemed
from projections.arrays import array_literal, column_literals
from projections.projection import Connection, Located, Pool, Table, Write, topics_of

_STORED: Final = tuple(name for name in BatchRow.__struct_fields__ if name != "redeemed")
_COLUMNS: Final = ", ".join(_STORED)
_REDEMPTION_COLUMNS: Final = ", ".join(RedemptionRow.__struct_fields__)
_BATCHES: Final = Table(
    name="code_batches",
    key="batch_id",
    columns="""
        batch_id uuid PRIMARY KEY,
        count integer NOT NULL,
        amount_nano bigint NOT NULL,
        per_account integer NOT NULL,
        redeem_until_us bigint,
        credit_days integer,
        note text NOT NULL,
        issued_by text NOT NULL,
        issued_us bigint NOT NULL,
        withdrawn_because text,
        position bigint NOT NULL
    """,
    indexes=("(position)",),
)
_REDEMPTIONS: Final = Table(
    name="code_redemptions",
    key="lot_id",
    columns="""
        lot_id uuid PRIMARY KEY,
        batch_id uuid NOT NULL,
        account_id uuid NOT NULL,
        redeemed_by text NOT NULL,
        redeemed_us bigint NOT NULL,
        position bigint NOT NULL
    """,
    indexes=("(batch_id, position)", "(account_id, position)", "(position)"),
)
_LOAD: Final = f"SELECT {_COLUMNS} FROM {{schema}}.code_batches WHERE batch_id = ANY(%s::uuid[])"  # noqa: S608  # our names
_STORE: Final = f"""
    INSERT INTO {{schema}}.code_batches ({_COLUMNS})
    SELECT * FROM unnest(%s::uuid[], %s::integer[], %s::bigint[], %s::integer[], %s::bigint[], %s::integer[], %s::text[],
        %s::text[], %s::bigint[], %s::text[], %s::bigint[])
    WHERE {{moved}}
    ON CONFLICT (batch_id) DO UPDATE SET withdrawn_because = excluded.withdrawn_because
"""  # noqa: S608  # our names
_STORE_REDEMPTIONS: Final = f"""
    INSERT INTO {{schema}}.code_redemptions ({_REDEMPTION_COLUMNS})
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[])
    WHERE {{moved}}
    ON CONFLICT (lot_id) DO NOTHING
"""  # noqa: S608  # our names


class Codes:
    """The fold: a row for each batch, which a withdrawal completes, and one for each redemption."""

    name: ClassVar[str] = "codes"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (_BATCHES, _REDEMPTIONS)
    topics: ClassVar[frozenset[str]] = topics_of(
        (CodeBatchIssued, CodeBatchWithdrawn, RedemptionCodeRedeemed)
    )

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        about = {
            fact.event.batch_id
            for fact in facts
            if isinstance(fact.event, CodeBatchIssued | CodeBatchWithdrawn)
        }
        loaded = connection.execute(_LOAD.format(schema=schema), [array_literal(list(about))])
        batches: dict[UUID, BatchRow] = {
            row[0]: BatchRow(**dict(zip(_STORED, row, strict=True)), redeemed=0) for row in loaded
        }
        redemptions: dict[UUID, RedemptionRow] = {}
        for fact in facts:
            _fold(batches, redemptions, fact)
        writes = []
        if batches:
            rows = [tuple(getattr(one, name) for name in _STORED) for one in batches.values()]
            writes.append(Write(_STORE, column_literals(rows)))
        if redemptions:
            columns = column_literals(map(msgspec.structs.astuple, redemptions.values()))
            writes.append(Write(_STORE_REDEMPTIONS, columns))
        return writes


def _fold(batches: dict[UUID, BatchRow], redemptions: dict[UUID, RedemptionRow], fact: Located) -> None:
    event: Any = fact.event
    match event:
        case CodeBatchIssued():
            batches.setdefault(event.batch_id, _batch(fact.position, event))
        case CodeBatchWithdrawn() if event.batch_id in batches:
            batches[event.batch_id] = msgspec.structs.replace(
                batches[event.batch_id], withdrawn_because=clean(event.reason)
            )
        case RedemptionCodeRedeemed():
            redemptions[event.lot_id] = RedemptionRow(
                lot_id=event.lot_id,
                batch_id=event.batch_id,
                account_id=event.account_id,
                redeemed_by=event.actor,
                redeemed_us=event.occurred_us,
                position=fact.position,
            )
        case _:  # withdrawn without having been issued: no lawful log
            pass


def _batch(position: int, event: CodeBatchIssued) -> BatchRow:
    return BatchRow(
        batch_id=event.batch_id,
        count=event.count,
        amount_nano=event.amount_nano,
        per_account=event.per_account,
        redeem_until_us=event.redeem_until_us,
        credit_days=event.credit_days,
        note=clean(event.note),
        issued_by=event.actor,
        issued_us=event.occurred_us,
        withdrawn_because=None,
        position=position,
        redeemed=0,
    )


_BATCH_ROWS: Final = f"""
    SELECT {_COLUMNS}, (SELECT count(*) FROM code_redemptions AS r WHERE r.batch_id = b.batch_id) AS redeemed
    FROM code_batches AS b
"""  # noqa: S608  # our names
_SELECT_BATCHES: Final = f"""{_BATCH_ROWS}
    WHERE (%(before)s::bigint IS NULL OR position < %(before)s)
    ORDER BY position DESC LIMIT %(limit)s
"""
_SELECT_BATCH: Final = f"{_BATCH_ROWS} WHERE batch_id = %s"
_SELECT_REDEMPTIONS: Final = f"""
    SELECT {_REDEMPTION_COLUMNS} FROM code_redemptions
    WHERE (%(batch)s::uuid IS NULL OR batch_id = %(batch)s) AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
        AND (%(before)s::bigint IS NULL OR position < %(before)s)
    ORDER BY position DESC LIMIT %(limit)s
"""  # noqa: S608  # our names


class CodeReader:
    """The questions: implements `application.promotions.queries.CodeQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def batches(self, *, before_position: int | None = None, limit: int = 100) -> BatchPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        wanted = {"before": before_position, "limit": size + 1}
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(BatchRow)) as rows,
        ):
            found = rows.execute(_SELECT_BATCHES, wanted).fetchall()
        return BatchPage(items=tuple(found[:size]), next_before=_next(found, size))

    def batch(self, batch_id: UUID) -> BatchRow | None:
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(BatchRow)) as rows,
        ):
            return rows.execute(_SELECT_BATCH, [batch_id]).fetchone()

    def redemptions(
        self,
        *,
        batch_id: UUID | None = None,
        account_id: UUID | None = None,
        before_position: int | None = None,
        limit: int = 100,
    ) -> RedemptionPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        wanted = {"batch": batch_id, "account": account_id, "before": before_position, "limit": size + 1}
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(RedemptionRow)) as rows,
        ):
            found = rows.execute(_SELECT_REDEMPTIONS, wanted).fetchall()
        return RedemptionPage(items=tuple(found[:size]), next_before=_next(found, size))


def _next(found: Sequence[BatchRow] | Sequence[RedemptionRow], size: int) -> int | None:
    return found[size - 1].position if len(found) > size else None
