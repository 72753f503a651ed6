"""Read model `money_months`: the figures of each month that the books and others must agree about, from both sides.

For comparing at the end of a month. Must not be used to decide about money: it lags behind the log, and what differs may be under way.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from application.money.month import MonthComparison, compare
from application.queries import clean
from application.reports.period import month as month_of
from domain.event import Event
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.ledger.claim_events import FrozenCreditTaken
from domain.money.events import PspLineRecorded
from domain.money.figures import CREDIT, OWED, Figure, FigureName, booked, told
from domain.money.postings import CURRENT_MONEY_RULES, MoneyRules, load_money_rules
from projections import generations
from projections.books import Books, mark_table
from projections.projection import Connection, Located, Pool, Table, Write, topics_of
from projections.sums import TEXT, SumTable

_MONTHS: Final = SumTable(
    name="money_months",
    key={"month": TEXT, "ledger": TEXT, "name": TEXT, "party": TEXT},
    sums=("booked", "told"),
)
#: What statements say of credit that was bought: the other side of the line is what was issued for money.
_STATEMENTS: Final = """
    SELECT kind, sum(amount_nano)::bigint FROM statement_entries
    WHERE counter_account = 'issued:paid' AND kind IN ('grant', 'refund') AND slot_us >= %s AND slot_us < %s
    GROUP BY kind
"""
_BY_KIND: Final[dict[str, tuple[FigureName, int]]] = {"grant": ("bought", 1), "refund": ("gone_back", -1)}
_US: Final = 1_000_000


class MoneyMonths:
    """The fold."""

    name: ClassVar[str] = "money_months"
    version: ClassVar[int] = 100 + CURRENT_MONEY_RULES  #: other rules are another fold
    tables: ClassVar[tuple[Table, ...]] = (_MONTHS.table(), mark_table("money_months"))
    topics: ClassVar[frozenset[str]] = frozenset(load_money_rules().rules) | topics_of(
        (InvoiceIssued, CreditNoteIssued, FrozenCreditTaken, *OWED)
    )

    def __init__(self, rules: MoneyRules | None = None) -> None:
        """`rules`: others than those in force, to see what they would change."""
        self._rules = rules or load_money_rules()

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        books = Books(connection, schema, self.name)
        sums: dict[tuple[str, ...], list[int]] = {}
        for one in books.unseen(facts):
            event = one.fact.event
            month = _month_of(event)
            _add(sums, month, booked(self._rules, event), side=0)
            _add(sums, month, told(event), side=1)
        return [*_MONTHS.add(sums), *([books.mark()] if facts else [])]


def _add(sums: dict[tuple[str, ...], list[int]], month: str, figures: Iterable[Figure], *, side: int) -> None:
    for one in figures:
        key = (month, clean(one.ledger), one.name, clean(one.party))
        sums.setdefault(key, [0, 0])[side] += one.amount


def _month_of(event: Event) -> str:
    """Of the provider's own lines, the provider's."""
    fact: Any = event
    time_us: int = event.created_us if isinstance(event, PspLineRecorded) else fact.occurred_us
    return f"{datetime.fromtimestamp(time_us // _US, tz=UTC):%Y-%m}"


class MonthReader:
    """The questions: implements `application.money.month.MonthQueries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def month(self, month: str) -> MonthComparison:
        period = month_of(month)
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = connection.execute(
                "SELECT ledger, name, party, booked, told FROM money_months WHERE month = %s", [month]
            )
            sides = {(ledger, name, party): (one, other) for ledger, name, party, one, other in rows}
            for kind, amount_nano in connection.execute(_STATEMENTS, [period.from_us, period.until_us]):
                name, sign = _BY_KIND[kind]
                one, other = sides.get((CREDIT, name, ""), (0, 0))
                sides[CREDIT, name, ""] = one, other + sign * amount_nano
            position = generations.require(connection, MoneyMonths.name).position
        return compare(month, position=position, sides=sides)
