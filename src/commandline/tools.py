"""Commands of the command line that are no commands of operators: checks, read models, keeping house.

Each takes the settings and the arguments, with the environment that the settings came from among them.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, get_args
from uuid import UUID

import msgspec
import psycopg

from adapters.doctor import Finding, run_checks
from adapters.vault.master_keys import parse_master_keys
from adapters.vault.postgres import PostgresVault
from adapters.verifications import PostgresVerifications
from application.catalogue.list_presets import find_preset, list_presets, summary_of
from application.clock import SystemClock
from application.queries import RequestFilter, RequestState
from application.reports.health import Verification
from application.verify.report import render_text
from application.verify.verify import verify
from bootstrap import migrate, open_pool, open_store, reaper_of
from commandline.announcements import add_announcements
from commandline.archive import add_archive
from commandline.charges import add_charges
from commandline.codes import add_codes
from commandline.corrections import add_corrections
from commandline.documents import add_documents
from commandline.exports import add_exports
from commandline.hooks import add_hooks
from commandline.mails import add_mails
from commandline.money import add_money
from commandline.orders import add_orders
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from commandline.postpaid import add_postpaid
from commandline.prices import add_prices
from commandline.refunds import add_refunds
from commandline.reports import add_reports
from commandline.returns import add_returns
from commandline.texts import (
    comparisons_text,
    findings_text,
    health_text,
    holds_text,
    preset_text,
    presets_text,
    requests_text,
    status_text,
)
from commandline.webhooks import add_webhooks
from commandline.work import add_work
from domain.refusal import NotFound
from domain.topics import REGISTRY
from projections.balances import BalanceReader
from projections.books_check import PostgresBooksChecks
from projections.charge_reviews import ReviewReader
from projections.health import HealthReader
from projections.outdated import outdated, versions_of
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from settings import Settings

#: Of the verification, where 1 says that the ledger is not clean.
NOT_CHECKED: Final = 2
ROTATING: Final = """\
To change the master key: write the new one before the old one, as `k2:...,k1:...`, into the key file; start
everything again; run this; then take the old one out of the file and start everything again. API keys and
operators' tokens go on working throughout."""

_CONNECT_S: Final = 5


def add_housekeeping(commands: Any) -> None:
    """Parsers of what is about the installation."""
    add_tool(commands, "doctor", run_doctor, "say what is wrong with this set-up and how to mend it")
    add_tool(commands, "migrate", run_migrate, "bring the database's schema up to date")
    add_tool(commands, "reap", run_reap, "end the leases of gateways that are dead, once")


def add_tools(nouns: dict[str, Any]) -> None:
    """Parsers of what is about one kind of things."""
    checking = add_tool(
        nouns["ledger"], "verify", run_verify, "fold the whole log again and compare the read models with it"
    )
    checking.epilog = "Exit codes: 0 the ledger is clean, 1 it is not, 2 it could not be checked."
    checking.set_defaults(failure_status=NOT_CHECKED)
    health = add_tool(
        nouns["ledger"], "health", run_health, "whether the books are right, as far as can be told at once"
    )
    health.epilog = "Exit code 1 if anything is wrong."
    add_tool(nouns["projections"], "status", run_status, "how far the read models are")
    rebuild = add_tool(
        nouns["projections"], "rebuild", run_rebuild, "build a read model anew, then switch to it"
    )
    which = rebuild.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", choices=[one.name for one in all_projections()])
    which.add_argument("--all", action="store_true", help="all of them, in one pass over the log")
    rebuild.add_argument(
        "--compare", action="store_true", help="switch to nothing; say whether what is in use is equal to it"
    )
    rebuild.epilog = "With --compare the exit code is 1 if they differ; each waits while both are hashed."
    rotate = add_tool(
        nouns["master-key"], "rotate", run_rotate, "seal everything with the first of the master keys"
    )
    rotate.epilog = ROTATING
    add_tool(nouns["preset"], "list", run_presets, "the presets there are")
    preset = add_tool(nouns["preset"], "show", run_preset, "one preset with its models and prices in USD")
    preset.add_argument("id", metavar="ID", help="as `preset list` shows it")
    balance = add_tool(nouns["balance"], "show", run_balance, "an account's balance as last projected")
    balance.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    holds = add_tool(nouns["balance"], "holds", run_holds, "requests that hold credit now, oldest first")
    holds.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    holds.add_argument("--after", type=UUID, metavar="UUID", help="behind this request")
    holds.add_argument("--limit", type=int, default=100, metavar="NUMBER", help="how many (%(default)s)")
    listing = add_tool(nouns["requests"], "list", run_requests, "requests, newest first")
    listing.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    listing.add_argument("--key-id", type=UUID, metavar="UUID", help="made with this API key")
    listing.add_argument("--state", choices=get_args(RequestState), help="in this state")
    listing.add_argument("--alias", metavar="NAME", help="for this model, as the client wrote it")
    listing.add_argument("--client-ref", metavar="TEXT", help="sent with this x-client-request-id")
    listing.add_argument(
        "--before-position", type=int, metavar="NUMBER", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=50, metavar="NUMBER", help="how many (%(default)s)")
    add_reports(nouns)
    add_orders(nouns)
    add_documents(nouns)
    add_postpaid(nouns)
    add_prices(nouns)
    add_refunds(nouns)
    add_returns(nouns)
    add_corrections(nouns)
    add_charges(nouns)
    add_webhooks(nouns)
    add_hooks(nouns)
    add_codes(nouns)
    add_work(nouns)
    add_mails(nouns)
    add_money(nouns)
    add_announcements(nouns)
    add_exports(nouns["export"])
    add_archive(nouns["archive"])


def run_migrate(settings: Settings, _values: argparse.Namespace) -> Outcome:
    return Outcome({"applied": [one.name for one in migrate(settings)]})


def run_doctor(settings: Settings, values: argparse.Namespace) -> Outcome:
    findings = [*run_checks(settings, environ=values.environ), *_waiting(settings)]
    status = int(any(one.is_fatal for one in findings))
    return Outcome({"findings": findings}, status, findings_text(findings))


def _waiting(settings: Settings) -> Iterator[Finding]:
    """Read models that wait for a rebuild; nothing where there is no database, which is told elsewhere."""
    if not settings.database_url:
        return
    try:
        with psycopg.connect(
            settings.database_url, autocommit=True, connect_timeout=_CONNECT_S
        ) as connection:
            names = outdated(connection, versions_of(all_projections()))
    except psycopg.Error:
        return
    if names:
        yield Finding(
            code="read_model_outdated",
            problem=f"read models are of another version of the code: {', '.join(names)}",
            remedy="a worker of this version brings them up to date, or else run "
            + " and ".join(f"`tokenok projections rebuild {name}`" for name in names),
            is_fatal=False,
        )


def run_reap(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with reaper_of(settings) as reaper:
        return Outcome({"ended": reaper.run_once()})


def run_verify(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with (
        open_store(settings) as store,
        projection_pool(settings.database_url, size_max=1) as pool,
    ):
        report = verify(store, REGISTRY, ReadModelReader(pool))
        PostgresVerifications(pool).record(
            Verification(
                verified_us=SystemClock().now_us(),
                ok=report.ok,
                position=report.figures.position,
                violations=sum(report.counts.values()),
                trial_balance_sha256=report.figures.trial_balance_sha256,
            )
        )
    return Outcome(report, int(not report.ok), render_text(report))


def run_health(settings: Settings, _values: argparse.Namespace) -> Outcome:
    clock = SystemClock()
    with _projections(settings) as projections, open_pool(settings) as pool:
        checks = PostgresBooksChecks(pool, clock=clock)
        checks.check()
        health = HealthReader(
            checks=checks,
            projections=projections,
            verifications=PostgresVerifications(pool),
            reviews=ReviewReader(pool),
            clock=clock,
        ).health()
    return Outcome(health, int(bool(health.faults)), health_text(health))


def run_status(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with _projections(settings) as projections:
        statuses = projections.status()
    return Outcome(statuses, text=status_text(statuses))


def run_rebuild(settings: Settings, values: argparse.Namespace) -> Outcome:
    with _projections(settings) as projections:
        names = projections.names() if values.all else (values.name,)
        if values.compare:
            compared = [projections.compare(name) for name in names]
            status = int(not all(one.is_equal for one in compared))
            return Outcome(compared, status, comparisons_text(compared))
        return Outcome(projections.rebuild_all() if values.all else projections.rebuild(values.name))


def run_rotate(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        vault = PostgresVault(pool, parse_master_keys(settings.tokenok_master_key))
        return Outcome(vault.rotate_master_key())


def run_presets(_settings: Settings, _values: argparse.Namespace) -> Outcome:
    presets = [summary_of(one) for one in list_presets()]
    return Outcome(presets, text=presets_text(presets))


def run_preset(_settings: Settings, values: argparse.Namespace) -> Outcome:
    preset = find_preset(values.id)
    return Outcome(preset, text=preset_text(preset))


def run_balance(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        balance = BalanceReader(pool).balance_with_holds(values.account_id)
    if balance is None:
        raise NotFound("balance of account", values.account_id)
    return Outcome(msgspec.structs.asdict(balance.balance) | {"holds": balance.holds})


def run_holds(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_pool(settings) as pool:
        holds = BalanceReader(pool).open_holds(
            account_id=values.account_id, after=values.after, limit=values.limit
        )
    return Outcome(holds, text=holds_text(holds, now_us=SystemClock().now_us()))


def run_requests(settings: Settings, values: argparse.Namespace) -> Outcome:
    fields = ("account_id", "key_id", "state", "alias", "client_ref")
    try:
        wanted = msgspec.convert({name: getattr(values, name) for name in fields}, RequestFilter)
    except msgspec.ValidationError as error:
        raise BadArgument(str(error)) from None
    with open_pool(settings) as pool:
        page = RequestReader(pool).requests(
            wanted, before_position=values.before_position, limit=values.limit
        )
    return Outcome(page, text=requests_text(page))


@contextmanager
def _projections(settings: Settings) -> Iterator[ProjectionService]:
    with (
        open_store(settings) as store,
        projection_pool(settings.database_url, size_max=len(all_projections()) + 1) as pool,
    ):
        yield ProjectionService(
            pool=pool, store=store, registry=REGISTRY, projections=all_projections(), clock=SystemClock()
        )


#: Needs no database to be found first: it says what is missing.
WITHOUT_DATABASE: Final = frozenset({run_doctor, run_presets, run_preset})
