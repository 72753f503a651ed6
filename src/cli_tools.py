"""Commands of the command line that are no commands of operators: checks, read models, keeping house.

Each takes the settings and the arguments and gives a value to show and an exit code.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import msgspec

from adapters.doctor import run_checks
from adapters.eventstore.store import PostgresEventStore
from adapters.vault.master_keys import parse_master_keys
from adapters.vault.postgres import PostgresVault
from application.clock import SystemClock
from application.queries import RequestFilter
from application.verify.verify import verify
from bootstrap import migrate, open_pool, reaper_of
from cli_parser import BadArgument
from domain.refusal import NotFound
from domain.topics import REGISTRY
from projections.balances import BalanceReader
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from settings import Settings

Tool = Callable[[Settings, argparse.Namespace], tuple[object, int]]


def add_tools(commands: Any, nouns: dict[str, Any]) -> None:
    """Their parsers."""
    _add(commands, "migrate", run_migrate, "bring the database's schema up to date")
    _add(commands, "doctor", run_doctor, "say what is wrong with this set-up and how to mend it")
    _add(commands, "reap", run_reap, "end the leases of gateways that are dead, once")
    _add(nouns["ledger"], "verify", run_verify, "refold the whole log and compare the read models with it")
    _add(nouns["projections"], "status", run_status, "how far the read models are")
    rebuild = _add(nouns["projections"], "rebuild", run_rebuild, "build a read model anew, then switch to it")
    rebuild.add_argument("name", choices=[one.name for one in all_projections()])
    _add(nouns["master-key"], "rotate", run_rotate, "seal everything with the first of the master keys")
    balance = _add(nouns["balance"], "show", run_balance, "an account's balance as last projected")
    balance.add_argument("--account-id", type=UUID, required=True, metavar="UUID")
    listing = _add(nouns["requests"], "list", run_requests, "requests, newest first")
    for name in ("account-id", "key-id"):
        listing.add_argument(f"--{name}", type=UUID, metavar="UUID")
    for name in ("state", "alias", "client-ref"):
        listing.add_argument(f"--{name}", metavar="TEXT")
    listing.add_argument(
        "--before-position", type=int, metavar="INT", help="`next_before` of the page before"
    )
    listing.add_argument("--limit", type=int, default=50, metavar="INT")


def run_migrate(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    return {"applied": [one.name for one in migrate(settings)]}, 0


def run_doctor(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    findings = run_checks(settings, environ=os.environ)
    return {"findings": findings}, int(any(one.is_fatal for one in findings))


def run_reap(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    with reaper_of(settings) as reaper:
        return {"ended": reaper.run_once()}, 0


def run_verify(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    with (
        PostgresEventStore(settings.database_url) as store,
        projection_pool(settings.database_url, size_max=1) as pool,
    ):
        report = verify(store, REGISTRY, ReadModelReader(pool))
    return report, int(not report.ok)


def run_status(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    with _projections(settings) as projections:
        return projections.status(), 0


def run_rebuild(settings: Settings, values: argparse.Namespace) -> tuple[object, int]:
    with _projections(settings) as projections:
        return projections.rebuild(values.name), 0


def run_rotate(settings: Settings, _values: argparse.Namespace) -> tuple[object, int]:
    with open_pool(settings) as pool:
        vault = PostgresVault(pool, parse_master_keys(settings.tokenok_master_key))
        return vault.rotate_master_key(), 0


def run_balance(settings: Settings, values: argparse.Namespace) -> tuple[object, int]:
    with open_pool(settings) as pool:
        balance = BalanceReader(pool).balance_with_holds(values.account_id)
    if balance is None:
        raise NotFound("balance of account", values.account_id)
    return msgspec.structs.asdict(balance.balance) | {"holds": balance.holds}, 0


def run_requests(settings: Settings, values: argparse.Namespace) -> tuple[object, int]:
    fields = ("account_id", "key_id", "state", "alias", "client_ref")
    try:
        wanted = msgspec.convert({name: getattr(values, name) for name in fields}, RequestFilter)
    except msgspec.ValidationError as error:
        raise BadArgument(str(error)) from None
    with open_pool(settings) as pool:
        page = RequestReader(pool).requests(
            wanted, before_position=values.before_position, limit=values.limit
        )
    return page, 0


@contextmanager
def _projections(settings: Settings) -> Iterator[ProjectionService]:
    with (
        PostgresEventStore(settings.database_url) as store,
        projection_pool(settings.database_url, size_max=2) as pool,
    ):
        yield ProjectionService(
            pool=pool, store=store, registry=REGISTRY, projections=all_projections(), clock=SystemClock()
        )


def _add(commands: Any, name: str, tool: Tool, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(tool=tool)
    return parser


#: Needs no database to be found first: it says what is missing.
WITHOUT_DATABASE: Final = frozenset({run_doctor})
