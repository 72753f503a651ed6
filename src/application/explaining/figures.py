"""Cells of usage and accounts of the books: which lines or events make them."""

from uuid import UUID

import msgspec

from application.explaining.cells import EventPage, Term, moving_events
from application.explaining.statement import line_id, line_name
from application.projections import ReadableLog
from application.reports.period import Period
from application.reports.statement import CHARGE, StatementQueries
from application.reports.statement_file import LINES_MAX
from application.reports.trial_balance import Books
from application.reports.usage import UsageFilter, UsageQueries, UsageRow
from domain.refusal import NotFound


class UsageCell(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an account's usage, and the lines of its statement that hold the same charges.

    Two read models say the same, or `is_right` is false. What is behind a term: the statement's cell of this name, of the
    same account, period and zone.
    """

    account_id: UUID
    period: Period
    zone: str
    row: UsageRow
    formula: str
    is_right: bool
    terms: tuple[Term, ...]


class BooksCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one account of the books stands at, and the events that moved it, from the beginning of the log.

    `is_right` says whether they make the balance; none where they are not all on this page.
    """

    name: str
    balance_nano: int
    position: int  #: up to which the books are read
    formula: str
    is_right: bool | None
    events: EventPage


def explain_usage(
    usage: UsageQueries, statements: StatementQueries, wanted: UsageFilter, *, zone: str
) -> UsageCell:
    """The usage of an account in a period, with one key or for one model if the filter says so.

    Raises:
        NotFound: nothing was asked for there, or no account is named.
        BadField: the zone is not known, or the period has too many lines.
    """
    rows = usage.usage(wanted, by=(), zone=zone, limit=1).items
    if not rows or wanted.account_id is None:
        raise NotFound("usage of account", wanted.account_id or "none")
    whole = statements.whole_statement(wanted.account_id, wanted.period, zone=zone, lines_max=LINES_MAX)
    lines = [
        line
        for line in whole.lines
        if line.kind == CHARGE and wanted.key_id in {None, line.key_id} and wanted.alias in {None, line.alias}
    ]
    terms = tuple(
        Term(name=line_name(line), amount_nano=-line.amount_nano, cell=line_id(line)) for line in lines
    )
    row = rows[0]
    charges = sum(line.charges for line in lines)
    charge_nano = sum(term.amount_nano for term in terms)
    return UsageCell(
        account_id=wanted.account_id,
        period=wanted.period,
        zone=zone,
        row=row,
        formula="charge_nano is the sum of the statement's charges; charged counts them",
        is_right=(row.charge_nano, row.charged) == (charge_nano, charges),
        terms=terms,
    )


def explain_books(
    store: ReadableLog, books: Books, name: str, *, after: int = 0, limit: int = 100
) -> BooksCell:
    """One account of the books; those behind position `after`, at most `limit`. Reads the whole log.

    Raises:
        NotFound: no account of this name stands at anything.
    """
    page = books.account(name)
    if page is None:
        raise NotFound("account of the books", name)
    position, balance_nano = page
    events = moving_events(store, name=name, after=after, until=position, limit=limit)
    is_whole = not after and events.next_after is None
    moved_nano = sum(one.amount_nano for one in events.items)
    return BooksCell(
        name=name,
        balance_nano=balance_nano,
        position=position,
        formula="credits less debits of this account, in the order of the log, by the posting rules",
        is_right=moved_nano == balance_nano if is_whole else None,
        events=events,
    )
