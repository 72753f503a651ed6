"""A statement as a page: what changed an account's credit in a period, from one balance to the next."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from application.documents.page import Block, Column, Label, Page, Table
from application.documents.wording import Wording
from application.i18n.locales import Locale
from application.reports.statement import Statement, StatementLine
from application.reports.statement_seal import StatementSeal
from domain.periods import PeriodClosed
from domain.zones import zone_of


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose statement it is, and from whom."""

    sender: str
    name: str
    address: tuple[str, ...] = ()


class _Pen:
    def __init__(
        self,
        statement: Statement,
        lines: Sequence[StatementLine],
        locale: Locale,
        closed: PeriodClosed | None,
        seal: StatementSeal | None,
    ) -> None:
        self.statement, self.rows, self.closed, self.seal = statement, lines, closed, seal
        self.words = Wording(locale)

    def facts(self) -> tuple[Label, ...]:
        _, statement = self.words.gettext, self.statement
        first, last = (self._day(time) for time in (statement.period.from_us, statement.period.until_us - 1))
        return (
            Label(_("Account"), str(statement.account_id)),
            Label(_("Period"), f"{self.words.day(first)} - {self.words.day(last)} ({statement.zone})"),
            Label(_("Unit"), _("credits")),
        )

    def _day(self, time_us: int) -> str:
        time = datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=time_us)
        return time.astimezone(zone_of(self.statement.zone)).date().isoformat()

    def summary(self) -> Table:
        _, statement = self.words.gettext, self.statement
        kinds = ((self._kind(kind), self.words.credit(nano)) for kind, nano in statement.totals_nano.items())
        rows = (
            (_("Opening balance"), self.words.credit(statement.opening_nano)),
            *kinds,
        )
        return Table((Column(_("Summary"), 70), Column(_("Credits"), 30, "right")), rows)

    def lines(self) -> Table:
        _ = self.words.gettext
        columns = (
            Column(_("Day"), 15),
            Column(_("What"), 33),
            Column(_("Requests"), 12, "right"),
            Column(_("Units"), 22, "right"),
            Column(_("Credits"), 18, "right"),
        )
        return Table(columns, tuple(self._row(line) for line in self.rows), heading=_("Details"))

    def _row(self, line: StatementLine) -> tuple[str, ...]:
        what = self._kind(line.kind) if line.alias is None else line.alias
        if line.reason:
            what = f"{what}: {line.reason}"
        count = self.words.number(line.charges) if line.charges else ""
        return line.day, what, count, self._units(line), self.words.credit(line.amount_nano)

    def _units(self, line: StatementLine) -> str:
        if line.units is None:
            return ""
        ngettext, units = self.words.ngettext, line.units
        tokens = (
            units.input_tokens + units.cached_input_tokens + units.cache_write_tokens + units.output_tokens
        )
        said = []
        if tokens:
            said.append(ngettext("%(n)s token", "%(n)s tokens", tokens) % {"n": self.words.number(tokens)})
        if units.images:
            count = {"n": self.words.number(units.images)}
            said.append(ngettext("%(n)s image", "%(n)s images", units.images) % count)
        if units.characters:
            count = {"n": self.words.number(units.characters)}
            said.append(ngettext("%(n)s character", "%(n)s characters", units.characters) % count)
        if units.audio_ms:
            seconds = -(-units.audio_ms // 1000)
            said.append(
                ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": self.words.number(seconds)}
            )
        if units.searches:
            count = {"n": self.words.number(units.searches)}
            said.append(ngettext("%(n)s search", "%(n)s searches", units.searches) % count)
        return ", ".join(said)

    def _kind(self, kind: str) -> str:
        _ = self.words.gettext
        named = {
            "charge": _("Usage"),
            "grant": _("Credit added"),
            "expiry": _("Credit expired"),
            "refund_failed": _("Refund that failed"),
            "debt": _("Paid for what was owed"),
            "adjustment": _("Adjustment"),
            "refund": _("Refund"),
        }
        return named.get(kind, kind)

    def notes(self) -> tuple[str, ...]:
        _, statement, closed = self.words.gettext, self.statement, self.closed
        if closed is None:
            told = _("The books of this period are open. As of entry %(position)s of the log.")
            return (told % {"position": statement.position},)
        told = _(
            "The books of this period are closed at entry %(position)s of the log; trial balance SHA-256 %(hash)s."
        )
        return (told % {"position": closed.position, "hash": closed.trial_balance_sha256},)

    def fine_print(self) -> tuple[str, ...]:
        _ = self.words.gettext
        if not self.rows:
            return (_("No entries of the log are in this statement."),)
        told = _("Made of entries %(first)s to %(last)s of the log, which the sealed log proves.")
        first = min(line.first_position for line in self.rows)
        made = told % {"first": first, "last": max(line.last_position for line in self.rows)}
        if self.seal is None:
            return (made,)
        root = _("Root of the first %(size)s entries of the sealed log: %(root)s")
        return made, root % {"size": self.words.number(self.seal.size), "root": self.seal.root}


def statement_page(
    statement: Statement,
    lines: Sequence[StatementLine],
    *,
    holder: Holder,
    locale: Locale,
    closed: PeriodClosed | None,
    seal: StatementSeal | None = None,
) -> Page:
    """The page of a statement with all its lines. Once the period is closed, the same each time."""
    pen = _Pen(statement, lines, locale, closed, seal)
    _ = pen.words.gettext
    return Page(
        locale=locale,
        title=_("Statement"),
        sender=holder.sender,
        number=pen.facts()[1].value,
        author=holder.sender,
        created_us=statement.period.until_us,
        facts=pen.facts(),
        parties=(Block(_("Account holder"), holder.name, holder.address),),
        tables=(pen.summary(), pen.lines()) if lines else (pen.summary(),),
        totals=(Label(_("Closing balance"), pen.words.credit(statement.closing_nano), strong=True),),
        notes=pen.notes(),
        fine_print=pen.fine_print(),
        page_of=pen.words.page_of(),
    )
