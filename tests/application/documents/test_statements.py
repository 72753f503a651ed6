"""Statements as pages."""

import csv
import io
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from application.accounts import open_account
from application.command import Ports, new_event
from application.documents.page import Page
from application.documents.statements import (
    LINES_MAX,
    StatementAsked,
    StatementMoving,
    StatementTooLong,
    page_of_statement,
)
from application.i18n.locales import Locale
from application.invoicing import set_invoicing
from application.reports.period import Period, month
from application.reports.statement import Statement, StatementLine, StatementUnits
from application.reports.statement_file import statement_csv, statement_json
from application.reports.statement_seal import seal_of
from application.sealing.reading import NotSealed, SealBroken, SealedRoot
from domain.fact import SYSTEM
from domain.periods import PERIODS_STREAM, PeriodClosed
from tests.application.invoicing.world import ACCOUNT, BUYER, SELLER, furnish
from tests.fakes import memory_ports

CREDIT = 1_000_000_000
NOVEMBER = month("2026-11")


def line(position: int, amount_nano: int = -CREDIT, *, tokens: int = 1500) -> StatementLine:
    units = StatementUnits(
        input_tokens=tokens,
        cached_input_tokens=0,
        cache_write_tokens=0,
        output_tokens=0,
        images=1,
        audio_ms=1,
        characters=0,
        searches=2,
    )
    return StatementLine(
        day="2026-11-03",
        kind="charge",
        amount_nano=amount_nano,
        first_position=position,
        last_position=position + 1,
        occurred_us=1,
        charges=1234,
        alias="fast <b>",
        units=units,
    )


class Reader:
    """Pages of one statement; something is booked once while they are read, if so wished."""

    def __init__(self, lines: Sequence[StatementLine], *, page: int = 500, surprises: int = 0) -> None:
        self.lines, self.page, self.surprises = list(lines), page, surprises

    def statement(
        self,
        account_id: UUID,
        period: Period,
        *,
        zone: str = "UTC",
        after: str | None = None,
        limit: int = 100,
    ) -> Statement:
        begin = int(after or 0)
        end = begin + min(limit, self.page)
        shown = self.lines[begin:end]
        if self.surprises and begin:
            self.surprises -= 1
            self.lines.insert(0, line(1))
        total = sum(one.amount_nano for one in self.lines)
        return Statement(
            account_id=account_id,
            period=period,
            zone=zone,
            position=99,
            opening_nano=10 * CREDIT,
            totals_nano={"charge": total},
            closing_nano=10 * CREDIT + total,
            lines=tuple(shown),
            next_after=str(end) if end < len(self.lines) else None,
        )


class Sealed:
    """A sealed log that has a root at one position."""

    def __init__(self, position: int, error: Exception | None = None) -> None:
        self.position, self.error = position, error

    def root_at(self, position: int) -> SealedRoot:
        if self.error is not None:
            raise self.error
        assert position == self.position
        return SealedRoot(size=1234, root="cm9vdA==")


def made(
    ports: Ports,
    reader: Reader,
    locale: Locale = "en",
    seller_id: UUID | None = SELLER,
    *,
    zone: str = "UTC",
    roots: Sealed | None = None,
) -> Page:
    asked = StatementAsked(
        account_id=ACCOUNT,
        period=month("2026-11", zone=zone),
        zone=zone,
        locale=locale,
        seller_id=seller_id,
    )
    return page_of_statement(
        asked, statements=reader, store=ports.store, personal=ports.personal, names=ports.names, roots=roots
    )


def test_a_statement_tells_the_root_that_it_is_under() -> None:
    """That of the log up to its last entry."""
    page = made(furnish(memory_ports()), Reader([line(10), line(20)]), roots=Sealed(21))
    assert page.fine_print[1] == "Root of the first 1,234 entries of the sealed log: cm9vdA=="
    assert len(made(furnish(memory_ports()), Reader([]), roots=Sealed(21)).fine_print) == 1


@pytest.mark.parametrize("error", [NotSealed("x"), SealBroken("x"), OSError("x")])
def test_without_a_root_the_statement_is_made_all_the_same(error: Exception) -> None:
    """And says no more than is known."""
    page = made(furnish(memory_ports()), Reader([line(10)]), roots=Sealed(11, error))
    assert len(page.fine_print) == 1


def test_files_for_programs_have_the_same_seal() -> None:
    """In JSON as a member, in CSV in the closing row."""
    statement = Reader([line(10), line(20)]).statement(ACCOUNT, NOVEMBER)
    seal = seal_of(statement.lines, Sealed(21))
    assert msgspec.json.decode(statement_json(statement, seal))["seal"] == {
        "first_position": 10,
        "last_position": 21,
        "size": 1234,
        "root": "cm9vdA==",
    }
    closing = list(csv.DictReader(io.StringIO(statement_csv(statement, seal).decode())))[-1]
    told = [closing[name] for name in ("kind", "first_position", "last_position", "reason")]
    assert told == ["closing", "10", "21", "root of the first 1234 entries of the log: cm9vdA=="]
    assert msgspec.json.decode(statement_json(statement))["seal"] is None


def test_a_statement_leads_from_opening_to_closing() -> None:
    """With its holder, what each line was for, and where in the log it comes from."""
    page = made(furnish(memory_ports()), Reader([line(10), line(20)]))
    assert (page.title, page.sender, page.parties[0].name) == ("Statement", "Example GmbH", BUYER)
    assert page.facts[1].value == "November 1, 2026 - November 30, 2026 (UTC)"
    summary, details = page.tables
    assert summary.rows == (("Opening balance", "10.00"), ("Usage", "-2.00"))
    assert details.rows[0] == (
        "2026-11-03",
        "fast <b>",
        "1,234",
        "1,500 tokens, 1 image, 1 second, 2 searches",
        "-1.00",
    )
    assert [(one.value, one.strong) for one in page.totals] == [("8.00", True)]
    assert page.fine_print == ("Made of entries 10 to 21 of the log, which the sealed log proves.",)
    assert page.notes == ("The books of this period are open. As of entry 99 of the log.",)


@pytest.mark.parametrize(
    ("zone", "is_closed"), [("UTC", True), ("Asia/Tokyo", True), ("America/New_York", False)]
)
def test_a_month_of_any_zone_is_closed_once_the_books_around_it_are(zone: str, *, is_closed: bool) -> None:
    """November ends in Tokyo within the November of the books, in New York within their December."""
    ports = furnish(memory_ports())
    close_november(ports)
    told = made(ports, Reader([]), zone=zone).notes[0]
    assert ("closed at entry 77" in told) == is_closed


def test_the_usual_seller_is_the_sender() -> None:
    """Who issues the documents of orders, unless another one is asked for."""
    ports = furnish(memory_ports())
    usual = set_invoicing.SetInvoicing(seller_id=SELLER)
    set_invoicing.handle(usual, actor=SYSTEM, ports=ports)
    assert made(ports, Reader([]), seller_id=None).sender == "Example GmbH"


def close_november(ports: Ports) -> None:
    closed = PeriodClosed(
        period="2026-11",
        until_us=NOVEMBER.until_us,
        position=77,
        rules_version=1,
        accounts=3,
        trial_balance_sha256="ab" * 32,
        occurred_us=1,
        actor="system",
    )
    ports.store.append([new_event(PERIODS_STREAM, 1, closed)])


def test_a_closed_month_names_its_closing() -> None:
    """And in the language that is asked for."""
    ports = furnish(memory_ports())
    close_november(ports)
    page = made(ports, Reader([]), "ja")
    assert "77" in page.notes[0]
    assert "ab" * 32 in page.notes[0]
    assert (page.title, len(page.tables)) == ("利用明細書", 1)


def test_a_statement_that_changes_while_it_is_read_is_read_again() -> None:
    """What is printed adds up."""
    page = made(furnish(memory_ports()), Reader([line(n) for n in range(6)], page=3, surprises=1))
    assert len(page.tables[1].rows) == 7
    assert page.totals[0].value == "3.00"
    with pytest.raises(StatementMoving):
        made(furnish(memory_ports()), Reader([line(n) for n in range(6)], page=3, surprises=99))


def test_a_statement_that_is_too_long_is_not_printed() -> None:
    """It can be had in other forms."""
    with pytest.raises(StatementTooLong):
        made(furnish(memory_ports()), Reader([line(1)] * (LINES_MAX + 1)))


def test_without_a_billing_profile_the_account_has_its_name() -> None:
    """And without a seller the statement is the product's."""
    ports = memory_ports()
    open_account.handle(open_account.OpenAccount(name="Blue", account_id=ACCOUNT), actor=SYSTEM, ports=ports)
    page = made(ports, Reader([]), seller_id=None)
    assert (page.sender, page.parties[0].name) == ("Tokenok", "Blue")
