"""Commands of the command line that ask for reports."""

import argparse
from collections.abc import Sequence
from typing import Any, get_args
from uuid import UUID

from application.balance_alerts.queries import LowBalancePage
from application.budgets.queries import AlertPage, BudgetPage
from application.clock import SystemClock
from application.reports.audit_log import ActFilter, ActPage, acts_csv
from application.reports.statement import Statement
from application.reports.statement_file import LINES_MAX, StatementFormat, statement_file
from application.reports.statement_seal import seal_of
from application.reports.usage import (
    EarningsPage,
    GroupValues,
    UsageFilter,
    UsagePage,
    earnings_groups,
    usage_groups,
)
from bootstrap import open_pool, open_store, sealed_log
from commandline.outcome import Outcome, add_tool
from commandline.periods import add_period, period_of
from commandline.texts import credits_of, table, time_of
from domain.budgets.budget import Budget
from projections.audit_log import AuditReader
from projections.budget_reader import BudgetReader
from projections.low_balances import LowBalanceReader
from projections.statement_reader import StatementReader
from projections.usage_reader import UsageReader
from settings import Settings


def add_reports(nouns: dict[str, Any]) -> None:
    """Parsers of everything here."""
    usage = add_tool(nouns["usage"], "show", run_usage, "add up what was asked, used and charged")
    _add_sums(usage, by="day")
    earnings = add_tool(
        nouns["usage"], "earnings", run_earnings, "add up the calls of providers and what they earned"
    )
    _add_sums(earnings, by="provider,model")
    budgets = add_tool(
        nouns["budget"],
        "show",
        run_budgets,
        "what is spent, held and left of budgets in their present windows",
    )
    budgets.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account and its keys")
    budgets.add_argument("--key-id", type=UUID, metavar="UUID", help="of this API key")
    budgets.add_argument("--after", type=UUID, metavar="UUID", help="`next_after` of the page before")
    budgets.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    alerts = add_tool(
        nouns["budget"], "alerts", run_alerts, "alerts of budgets that were raised, newest first"
    )
    alerts.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account and its keys")
    alerts.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    alerts.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    low = add_tool(nouns["balance"], "alerts", run_low_balances, "accounts that fell below their threshold")
    low.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    low.add_argument("--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before")
    low.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    statement = add_tool(
        nouns["statement"], "show", run_statement, "an account's credit from opening to closing, line by line"
    )
    add_period(statement)
    statement.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    statement.add_argument(
        "--format", choices=get_args(StatementFormat), help="print the whole of it as a file: docs/exports.md"
    )
    _add_page(statement)
    acts = add_tool(nouns["audit-log"], "list", run_acts, "who did what to what, and why, newest first")
    acts.add_argument("--actor", metavar="NAME", help="operator:ID or system")
    acts.add_argument("--topic", metavar="TOPIC", help="what was done, such as account.suspended.v1")
    acts.add_argument("--subject-kind", metavar="KIND", help="done to accounts, keys, ...: account, key, ...")
    acts.add_argument("--subject", metavar="ID", help="done to this one")
    acts.add_argument("--from-us", type=int, metavar="US", help="from this time, in microseconds since 1970")
    acts.add_argument("--until-us", type=int, metavar="US", help="to before this one")
    acts.add_argument("--csv", action="store_true", help="print CSV")
    acts.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    acts.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def run_usage(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = UsageReader(pool).usage(
            _wanted(values),
            by=usage_groups(values.by),
            zone=values.zone,
            after=values.after,
            limit=values.limit,
        )
    return Outcome(page, text=_usage_text(page))


def run_earnings(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = UsageReader(pool).earnings(
            _wanted(values),
            by=earnings_groups(values.by),
            zone=values.zone,
            after=values.after,
            limit=values.limit,
        )
    return Outcome(page, text=_earnings_text(page))


def run_statement(settings: Settings, values: argparse.Namespace) -> Outcome:
    if values.format:
        return _statement_file(settings, values)
    with open_pool(settings) as pool:
        statement = StatementReader(pool).statement(
            values.account_id, period_of(values), zone=values.zone, after=values.after, limit=values.limit
        )
    return Outcome(statement, text=_statement_text(statement))


def _statement_file(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        whole = StatementReader(pool).whole_statement(
            values.account_id, period_of(values), zone=values.zone, lines_max=LINES_MAX
        )
        seal = seal_of(whole.lines, sealed_log(settings, log=store, clock=SystemClock()))
    return Outcome(whole, text=statement_file(whole, values.format, seal).decode())


def run_budgets(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = BudgetReader(pool).budgets(
            now_us=SystemClock().now_us(),
            account_id=values.account_id,
            key_id=values.key_id,
            after=values.after,
            limit=values.limit,
        )
    return Outcome(page, text=_budgets_text(page))


def run_alerts(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = BudgetReader(pool).alerts(
            account_id=values.account_id, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=_alerts_text(page))


def run_low_balances(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        page = LowBalanceReader(pool).low_balances(
            account_id=values.account_id, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=_low_balances_text(page))


def run_acts(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = ActFilter(**{name: getattr(values, name) for name in ActFilter.__struct_fields__})
    with open_pool(settings) as pool:
        page = AuditReader(pool).acts(wanted, before_position=values.before_position, limit=values.limit)
    return Outcome(page, text=acts_csv(page) if values.csv else _acts_text(page))


def _add_sums(parser: argparse.ArgumentParser, *, by: str) -> None:
    add_period(parser)
    parser.add_argument(
        "--by", default=by, metavar="NAMES", help="what to add up by, with commas between (%(default)s)"
    )
    parser.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    parser.add_argument("--key-id", type=UUID, metavar="UUID", help="made with this API key")
    parser.add_argument("--alias", metavar="NAME", help="for this model, as the client wrote it")
    _add_page(parser)


def _add_page(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--after", metavar="TEXT", help="`next_after` of the page before")
    parser.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")


def _wanted(values: argparse.Namespace) -> UsageFilter:
    return UsageFilter(
        period=period_of(values), account_id=values.account_id, key_id=values.key_id, alias=values.alias
    )


def _usage_text(page: UsagePage) -> str:
    head = ("GROUP", "REQUESTS", "ERRORS", "TOKENS IN/OUT", "CREDITS", "P50 MS", "P95 MS")
    rows = [
        (
            _group_text(one.group),
            str(one.requests),
            str(one.released + one.abandoned),
            f"{one.input_tokens + one.cached_input_tokens + one.cache_write_tokens}/{one.output_tokens}",
            credits_of(one.charge_nano),
            "-" if one.duration_p50_ms is None else str(one.duration_p50_ms),
            "-" if one.duration_p95_ms is None else str(one.duration_p95_ms),
        )
        for one in page.items
    ]
    return _page_text(head, rows, next_after=page.next_after)


def _earnings_text(page: EarningsPage) -> str:
    head = ("GROUP", "CALLS", "FAILED", "SERVED", "CREDITS", "COST", "MARGIN", "COST UNKNOWN")
    rows = [
        (
            _group_text(one.group),
            str(one.attempts),
            str(one.failed),
            str(one.served),
            credits_of(one.charge_nano),
            credits_of(one.cost_nano),
            credits_of(one.margin_nano),
            str(one.uncosted or ""),
        )
        for one in page.items
    ]
    return _page_text(head, rows, next_after=page.next_after)


def _statement_text(statement: Statement) -> str:
    head = ("DAY", "WHAT", "CREDITS", "CHARGES", "MODEL", "PRICES", "POSITIONS", "REASON")
    rows = [
        (
            line.day,
            line.kind,
            credits_of(line.amount_nano),
            str(line.charges or ""),
            line.alias or "",
            "" if line.price_version is None else f"version {line.price_version}",
            f"{line.first_position}-{line.last_position}",
            line.reason or "",
        )
        for line in statement.lines
    ]
    opening, closing = credits_of(statement.opening_nano), credits_of(statement.closing_nano)
    lines = _page_text(head, rows, next_after=statement.next_after)
    return f"Opening {opening}\n\n{lines}\nClosing {closing}, as of position {statement.position}\n"


def _budgets_text(page: BudgetPage) -> str:
    head = ("BUDGET", "OF", "WINDOW", "AMOUNT", "SPENT", "HELD", "LEFT", "ENDS (UTC)")
    rows = [
        (
            str(one.budget.budget_id),
            f"account {one.budget.account_id}" if one.budget.key_id is None else f"key {one.budget.key_id}",
            _window_text(one.budget),
            credits_of(one.budget.amount_nano),
            credits_of(one.spent_nano),
            credits_of(one.held_nano),
            credits_of(one.left_nano),
            f"{time_of(one.until_us):%Y-%m-%d %H:%M}",
        )
        for one in page.items
    ]
    return _page_text(head, rows, next_after=None if page.next_after is None else str(page.next_after))


def _window_text(budget: Budget) -> str:
    window = budget.window
    span = f"last {window.hours} hours" if window.kind == "rolling" else f"{window.kind} {window.zone}"
    return f"{budget.enforcement} {span}"


def _alerts_text(page: AlertPage) -> str:
    head = ("POSITION", "TIME (UTC)", "BUDGET", "REACHED", "SPENT", "OF")
    rows = [
        (
            str(one.position),
            f"{time_of(one.occurred_us):%Y-%m-%d %H:%M:%S}",
            str(one.budget_id),
            f"{one.percent} %",
            credits_of(one.spent_nano),
            credits_of(one.amount_nano),
        )
        for one in page.items
    ]
    if not rows:
        return "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return table(head, rows) + more


def _low_balances_text(page: LowBalancePage) -> str:
    head = ("POSITION", "TIME (UTC)", "ACCOUNT", "BALANCE", "BELOW")
    rows = [
        (
            str(one.position),
            f"{time_of(one.occurred_us):%Y-%m-%d %H:%M:%S}",
            str(one.account_id),
            credits_of(one.balance_nano),
            credits_of(one.threshold_nano),
        )
        for one in page.items
    ]
    if not rows:
        return "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return table(head, rows) + more


def _acts_text(page: ActPage) -> str:
    head = ("POSITION", "TIME (UTC)", "ACTOR", "WHAT", "TO", "CHANGED", "WHY")
    rows = [
        (
            str(act.position),
            f"{time_of(act.occurred_us):%Y-%m-%d %H:%M:%S}",
            act.actor,
            act.topic,
            f"{act.subject_kind} {act.subject}".strip(),
            ", ".join(act.after),
            act.reason or "",
        )
        for act in page.items
    ]
    if not rows:
        return "Nothing.\n"
    more = "" if page.next_before is None else f"\nMore with --before-position {page.next_before}\n"
    return table(head, rows) + more


def _page_text(head: Sequence[str], rows: Sequence[Sequence[str]], *, next_after: str | None) -> str:
    if not rows:
        return "Nothing.\n"
    more = "" if next_after is None else f"\nMore with --after '{next_after}'\n"
    return table(head, rows) + more


def _group_text(group: GroupValues) -> str:
    parts = [
        str(getattr(group, name)) for name in group.__struct_fields__ if getattr(group, name) is not None
    ]
    return " ".join(parts) or "-"
