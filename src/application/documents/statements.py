"""A statement on paper: all its lines, from the read model, and the closing of its month if the books are closed."""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from application.documents.page import Page
from application.documents.statement_page import Holder, statement_page
from application.eventlog import EventStore
from application.i18n.locales import SOURCE, Locale
from application.invoicing.set_invoicing import load_invoicing
from application.invoicing.streams import load_billing, load_seller
from application.names import NameBook
from application.privacy import PersonalData
from application.reports.period import Period
from application.reports.statement import Statement, StatementLine, StatementQueries
from application.reports.statement_seal import Roots, seal_of
from domain.invoicing.parties import Buyer
from domain.periods import PERIODS_STREAM, PeriodClosed
from domain.refusal import BadField, Refusal
from domain.topics import REGISTRY

LINES_MAX: Final = 3000
_PAGE: Final = 500
_UNTIL_US_MAX: Final = 250_000_000_000_000_000  #: in the year 9892
_ATTEMPTS_MAX: Final = 5


class StatementTooLong(Refusal):
    """It has more lines than are printed; as CSV or JSON it has no bound."""

    code: ClassVar[str] = "statement_too_long"


class StatementMoving(Refusal):
    """Its period goes on, and so much happens in it that its pages never were of one moment; nothing was printed."""

    code: ClassVar[str] = "statement_moving"


class StatementAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which statement, and how."""

    account_id: UUID
    period: Period
    zone: str
    locale: Locale = SOURCE
    seller_id: UUID | None = None  #: whose statement it is; that of orders' documents if left out


def page_of_statement(
    asked: StatementAsked,
    *,
    statements: StatementQueries,
    store: EventStore,
    personal: PersonalData,
    names: NameBook,
    roots: Roots | None = None,
) -> Page:
    """The page, to be printed.

    Raises:
        StatementTooLong, StatementMoving: see there.
        NotFound: there is no such seller.
        BadField, VaultError: the zone is not known, or the period ends beyond the calendar; the holder cannot be read now.
    """
    if asked.period.until_us > _UNTIL_US_MAX:
        raise BadField("until_us", "is beyond the days that can be printed")
    first, lines = _whole(asked, statements)
    closed = _closed(store, asked.period)
    holder = _holder(asked, store=store, personal=personal, names=names)
    return statement_page(
        first, lines, holder=holder, locale=asked.locale, closed=closed, seal=seal_of(lines, roots)
    )


def _whole(asked: StatementAsked, statements: StatementQueries) -> tuple[Statement, list[StatementLine]]:
    """All pages of one statement. Each is of a moment of its own, so it is looked at whether they add up."""
    for _ in range(_ATTEMPTS_MAX):
        page, lines = _read(asked, statements)
        if page.opening_nano + sum(line.amount_nano for line in lines) == page.closing_nano:
            return page, lines
    raise StatementMoving("more was booked while it was read; the period is not over")


def _read(asked: StatementAsked, statements: StatementQueries) -> tuple[Statement, list[StatementLine]]:
    lines: list[StatementLine] = []
    after = None
    while True:
        page = statements.statement(asked.account_id, asked.period, zone=asked.zone, after=after, limit=_PAGE)
        lines += page.lines
        if len(lines) > LINES_MAX:
            raise StatementTooLong(f"a printed statement has at most {LINES_MAX} lines")
        after = page.next_after
        if after is None:
            return page, lines


def _closed(store: EventStore, period: Period) -> PeriodClosed | None:
    """The first closing of the books that the whole period is in; a month of another zone than UTC ends within one of ours."""
    for recorded in store.read_stream(PERIODS_STREAM):
        event = REGISTRY.decode(recorded.topic, recorded.state)
        if isinstance(event, PeriodClosed) and event.until_us >= period.until_us:
            return event
    return None


def _usual_seller(store: EventStore) -> UUID | None:
    terms = load_invoicing(store).current
    return None if terms is None else terms.seller_id


def _holder(asked: StatementAsked, *, store: EventStore, personal: PersonalData, names: NameBook) -> Holder:
    seller_id = asked.seller_id or _usual_seller(store)
    sender = "Tokenok" if seller_id is None else load_seller(store, seller_id).seller.legal_name
    profile = load_billing(store, asked.account_id).profile
    if profile is not None:
        opened = personal.open(profile.subject_id, profile.pii, place=profile.TOPIC)
        if opened is not None:
            buyer = msgspec.json.decode(opened, type=Buyer)
            return Holder(sender=sender, name=buyer.name, address=buyer.address)
    return Holder(
        sender=sender, name=names.get([asked.account_id]).get(asked.account_id, str(asked.account_id))
    )
