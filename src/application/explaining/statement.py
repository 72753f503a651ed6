"""Every cell of a statement: what it is the sum of, and for a line the events behind it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from application.explaining.cells import (
    NO_EVENTS,
    EventPage,
    Term,
    charge_positions,
    event_at,
    page_of,
    source_event,
)
from application.projections import ReadableLog
from application.queries import RequestFilter, RequestQueries
from application.reports.period import Period
from application.reports.statement import CHARGE, Statement, StatementLine, StatementQueries
from application.reports.statement_file import LINES_MAX
from domain.ledger.postings import Posting
from domain.refusal import BadField, NotFound

OPENING: Final = "opening"
CLOSING: Final = "closing"
_SUM_CELLS: Final = f"must be {OPENING}, {CLOSING}, a kind of the statement's totals, or line:POSITION.PLACE"
_LINE: Final = "line:"


class StatementCell(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a statement, and why it is what it is.

    `terms` are a page of the parts of the sum, `events` a page of what is behind a line. `is_right` says whether all
    of them make the figure; it is none where they are not all on this page. If they do not, a read model is damaged:
    `tokenok projections rebuild --compare`.
    """

    account_id: UUID
    period: Period
    zone: str
    cell: str
    amount_nano: int
    formula: str
    is_right: bool | None
    terms: tuple[Term, ...] = ()
    events: EventPage = NO_EVENTS
    line: StatementLine | None = None
    previous: Period | None = None  #: of an opening: a period as long, which ends where this begins
    previous_closing_nano: int | None = None
    next_after: str | None = None  #: of more terms


class StatementQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which cell of which statement, and which page of what it is made of."""

    account_id: UUID
    period: Period
    cell: str
    zone: str = "UTC"
    after: str | None = None
    limit: int = 100


class StatementExplainer:
    """Reads statements, the request log and the events themselves."""

    def __init__(self, *, store: ReadableLog, statements: StatementQueries, requests: RequestQueries) -> None:
        self._store = store
        self._statements = statements
        self._requests = requests

    def explain(self, asked: StatementQuestion) -> StatementCell:
        """The cell that was asked for.

        Raises:
            BadField: there is no such cell or page.
            NotFound: the statement has no such line.
        """
        if asked.cell.startswith(_LINE):
            return self._line(asked)
        if asked.cell == OPENING:
            return self._opening(asked)
        whole = self._whole(asked)
        if asked.cell == CLOSING:
            return self._closing(asked, whole)
        if asked.cell not in whole.totals_nano:
            raise BadField("cell", _SUM_CELLS)
        return self._total(asked, whole)

    def _opening(self, asked: StatementQuestion) -> StatementCell:
        """The closing of the period before, and the sum of everything before."""
        period = asked.period
        amount_nano = self._statement(asked, period).opening_nano
        if not period.from_us:
            return _cell(asked, amount_nano, "nothing is before the beginning of time", terms_nano=0)
        terms = _totals(self._statement(asked, Period(from_us=0, until_us=period.from_us)))
        length_us = period.until_us - period.from_us
        previous = Period(from_us=max(0, period.from_us - length_us), until_us=period.from_us)
        previous_closing_nano = self._statement(asked, previous).closing_nano
        found = _cell(
            asked,
            amount_nano,
            "the closing of the period before: everything that changed the account's credit until then",
            terms_nano=_sum(terms),
            terms=terms,
        )
        return msgspec.structs.replace(
            found,
            previous=previous,
            previous_closing_nano=previous_closing_nano,
            is_right=found.is_right and previous_closing_nano == amount_nano,
        )

    def _closing(self, asked: StatementQuestion, whole: Statement) -> StatementCell:
        terms = (Term(name=OPENING, amount_nano=whole.opening_nano, cell=OPENING), *_totals(whole))
        formula = " + ".join(term.name for term in terms)
        return _cell(asked, whole.closing_nano, formula, terms_nano=_sum(terms), terms=terms)

    def _total(self, asked: StatementQuestion, whole: Statement) -> StatementCell:
        lines = [line for line in whole.lines if line.kind == asked.cell]
        terms = [
            Term(name=line_name(line), amount_nano=line.amount_nano, cell=line_id(line)) for line in lines
        ]
        start = _number(asked.after)
        end = start + asked.limit
        return _cell(
            asked,
            whole.totals_nano[asked.cell],
            f"all {len(terms)} lines of this kind",
            terms_nano=_sum(terms),
            terms=tuple(terms[start:end]),
            next_after=str(end) if end < len(terms) else None,
        )

    def _line(self, asked: StatementQuestion) -> StatementCell:
        line = self._find(asked)
        return self._charges(asked, line) if line.kind == CHARGE else self._entry(asked, line)

    def _charges(self, asked: StatementQuestion, line: StatementLine) -> StatementCell:
        wanted = RequestFilter(
            account_id=asked.account_id,
            key_id=line.key_id,
            alias=line.alias,
            price_version=line.price_version,
        )
        positions = charge_positions(
            self._requests, wanted, first=line.first_position, last=line.last_position
        )
        after = _number(asked.after)
        events = page_of(self._store, positions, own=_own(asked), after=after, limit=asked.limit)
        is_whole = not after and events.next_after is None
        return _cell(
            asked,
            line.amount_nano,
            "the charges of this key, model and version of the prices between the two positions; each is its units "
            "times that version's prices, rounded once, as its receipt has it",
            terms_nano=sum(one.amount_nano for one in events.items) if is_whole else None,
            events=events,
            line=line,
        )

    def _entry(self, asked: StatementQuestion, line: StatementLine) -> StatementCell:
        """One movement of one event; an event may have several, each of which is a line."""
        found = source_event(event_at(self._store, line.first_position), own=_own(asked))
        changes = [one for one in found.postings if _signed_nano(one, _own(asked))]
        moved_nano = _signed_nano(changes[line.place], _own(asked)) if line.place < len(changes) else 0
        event = msgspec.structs.replace(found, amount_nano=moved_nano)
        return _cell(
            asked,
            line.amount_nano,
            "what the event at this position moved, by the posting rules",
            terms_nano=moved_nano,
            events=EventPage(items=(event,), next_after=None),
            line=line,
        )

    def _find(self, asked: StatementQuestion) -> StatementLine:
        wanted = asked.cell
        for line in self._whole(asked).lines:
            if line_id(line) == wanted or line_id(line) == f"{wanted}.0":
                return line
        raise NotFound("statement", wanted)

    def _whole(self, asked: StatementQuestion) -> Statement:
        return self._statements.whole_statement(
            asked.account_id, asked.period, zone=asked.zone, lines_max=LINES_MAX
        )

    def _statement(self, asked: StatementQuestion, period: Period) -> Statement:
        return self._statements.statement(asked.account_id, period, zone=asked.zone, limit=1)


def _cell(
    asked: StatementQuestion,
    amount_nano: int,
    formula: str,
    *,
    terms_nano: int | None,
    terms: tuple[Term, ...] = (),
    events: EventPage = NO_EVENTS,
    line: StatementLine | None = None,
    next_after: str | None = None,
) -> StatementCell:
    return StatementCell(
        account_id=asked.account_id,
        period=asked.period,
        zone=asked.zone,
        cell=asked.cell,
        amount_nano=amount_nano,
        formula=formula,
        is_right=None if terms_nano is None else terms_nano == amount_nano,
        terms=terms,
        events=events,
        line=line,
        next_after=next_after,
    )


def _own(asked: StatementQuestion) -> tuple[str, ...]:
    """What an account owns begins so in the books."""
    return tuple(f"{kind}:{asked.account_id}:" for kind in ("wallet", "leased", "frozen"))


def _signed_nano(posting: Posting, own: tuple[str, ...]) -> int:
    return posting.amount_nano * (posting.credit.startswith(own) - posting.debit.startswith(own))


def _sum(terms: Sequence[Term]) -> int:
    return sum(term.amount_nano for term in terms)


def _totals(statement: Statement) -> tuple[Term, ...]:
    totals = sorted(statement.totals_nano.items())
    return tuple(Term(name=kind, amount_nano=amount_nano, cell=kind) for kind, amount_nano in totals)


def line_id(line: StatementLine) -> str:
    """What to ask for to have a line explained."""
    return f"{_LINE}{line.first_position}.{line.place}"


def line_name(line: StatementLine) -> str:
    """A line in a few words."""
    if line.kind == CHARGE:
        return f"{line.day} {line.charges} charges for {line.alias}, prices version {line.price_version}"
    return f"{line.day} {line.kind}{f': {line.reason}' if line.reason else ''}"


def _number(after: str | None) -> int:
    try:
        return int(after or 0)
    except ValueError:
        raise BadField("after", "must be the next_after of another page") from None
