"""Entry point of the command line: `tokenok --help`.

Exit codes: 0 done, 1 refused or something is wrong, 2 the arguments or the settings cannot be used. Where 1 is an
answer, as for `ledger verify`, whatever keeps from answering is 2.
"""

import argparse
import logging
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from adapters.doctor import run_checks
from adapters.eventstore.migrations import MigrationError
from adapters.vault.master_keys import BadMasterKey
from api.admin.answers import answer_of
from api.admin.codes import INTERNAL_ERROR, code_of
from api.admin.commands import COMMANDS
from api.admin.tables.entry import Entry
from application.archive.ports import DetachRefused
from application.eventlog import EventLogError
from application.exporting.ports import ExportRefused
from application.operators import first_way_in
from application.projections import ReadModelOutdated, RebuildRunning, UnknownProjection
from application.vault import VaultError
from bootstrap import migrate, ports_of
from commandline.environment import find_environment
from commandline.explaining import add_explaining
from commandline.help import Parser, sentence
from commandline.outcome import Outcome
from commandline.output import fail, show
from commandline.parser import BadArgument, add_commands, read_command
from commandline.sealing import SEALING_WITHOUT_DATABASE, add_sealing
from commandline.tools import WITHOUT_DATABASE, add_housekeeping, add_tools
from commandline.witness import WITNESS_WITHOUT_DATABASE, add_witness
from demo_seed import seed_demo
from domain.fact import SYSTEM
from domain.receipts.checking import BadReceipt
from domain.refusal import Refusal
from domain.sealing.notes import BadKey
from launcher import options as up_options
from launcher import up
from launcher.plan import CONSOLE, GATEWAY, SANDBOX, SCHEDULER, WORKER, Plan
from projections.generations import NotInstalled
from settings import BadSetting, Settings, from_environment

_CONNECT_S: Final = 5
_KNOWN: Final = (MigrationError, EventLogError, VaultError, Refusal)
_NOUNS: Final = {
    "account": "customers: open, limit, suspend, close, erase",
    "credit": "add credit to an account",
    "announcement": "what customers are told",
    "offer": "what credit costs",
    "order": "credit that customers buy: place, settle, approve, cancel",
    "auto-recharge": "credit that is bought by itself when there is little left",
    "postpaid": "buying on account: limits, and what is unpaid",
    "refund": "money of orders that goes back",
    "dispute": "payments that customers dispute at their bank",
    "refund-request": "refunds that customers ask for: list, accept, decline",
    "seller": "companies that documents are issued for",
    "series": "numbers of documents",
    "exchange-rate": "rates that invoices in other currencies note",
    "billing": "whom an account's documents are for",
    "invoice": "issue invoices",
    "invoicing": "who issues the documents of orders without being asked",
    "credit-note": "take invoices back, or a part of them",
    "document": "see invoices and credit notes",
    "money": "the books in money, and what does not agree with payment providers",
    "webhook": "messages of payment providers that wait or are parked",
    "balance": "see an account's credit, and be told when it is low",
    "key": "API keys of customers",
    "requests": "see what was asked and what it cost",
    "usage": "add up what was used, charged and earned",
    "provider": "companies whose models are used",
    "credential": "our secrets at providers",
    "deployment": "models at providers",
    "route": "which deployments serve a model, in order",
    "alias": "other names of models",
    "preset": "providers that are known already",
    "prices": "what models cost",
    "charge": "charges that wait for review, and usage that providers told late",
    "repricing": "charges of the past by other prices",
    "mail": "mails that wait, are parked or were sent",
    "member": "people of a customer who use its workspace",
    "code": "codes that customers redeem for credit",
    "work": "rebuilds and exports that a worker does",
    "endpoint": "where customers are told of what happens",
    "management-key": "keys of customers' programs to /api",
    "operator": "members of staff, their tokens and their way into the console",
    "support": "looking into a customer's workspace",
    "statement": "see what changed an account's credit in a period",
    "ledger": "check the books",
    "audit-log": "see who did what",
    "period": "close the books of a month",
    "export": "the books for auditors and accountants",
    "explain": "how a figure comes about, and how things were",
    "receipt": "what became of a request, signed",
    "seal": "proof that the log is what it was",
    "budget": "what a key or an account may spend in a day, a month or the last hours",
    "witness": "see that a sealed log only grows, for whoever does not run it",
    "bodies": "requests and answers that are kept for operators to read",
    "archive": "old parts of the log as files",
    "projections": "the read models",
    "master-key": "the key that seals secrets",
}
_EXAMPLES: Final = """\
Commands act on the database that DATABASE_URL names, or else on the one that `tokenok up` runs.
`tokenok COMMAND --help` tells more of each. For example:

  tokenok up                                  everything on this machine, with a demo
  tokenok account open --name Blue            prints the account's id
  tokenok credit grant --account-id ID --amount-nano 5000000000 --reason "paid by wire"
  tokenok key issue --account-id ID --name Laptop
  tokenok requests list --json                --json after any command, for scripts
  tokenok ledger verify
"""
#: Errors of what the commands stand on, with codes of their own; the first that fits is taken.
_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (MigrationError, "migration_failed"),
    (ReadModelOutdated, ReadModelOutdated.code),
    (NotInstalled, "not_migrated"),
    (psycopg.errors.UndefinedTable, "not_migrated"),
    (psycopg.Error, "database_unavailable"),
    (PoolTimeout, "database_unavailable"),
    (PoolClosed, "database_unavailable"),
    (RebuildRunning, "rebuild_running"),
    (ExportRefused, "export_refused"),
    (DetachRefused, "detach_refused"),
    (UnknownProjection, "not_found"),
    (BadReceipt, "bad_receipt"),
)
_UNUSABLE: Final = (
    (BadArgument, "invalid_argument"),
    (BadSetting, "invalid_setting"),
    (BadMasterKey, "invalid_setting"),
    (BadKey, "invalid_setting"),
)


def main() -> int:
    values = make_parser().parse_args()
    if values.command == "up":
        return _up(values)
    _quiet_logs()
    try:
        return _run(values)
    except Exception as error:  # noqa: BLE001  # shown as one line, or with its traceback
        return _failed(error, values)


def make_parser() -> argparse.ArgumentParser:
    """All commands. `tokenok NOUN VERB --help` tells the arguments of each."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--data", type=Path, metavar="DIR", help="data directory of `tokenok up`, if DATABASE_URL is not set"
    )
    parser = Parser(
        prog="tokenok", description="A self-hosted LLM gateway with a prepaid ledger.", epilog=_EXAMPLES
    )
    parser.add_argument("--version", action="version", version=f"tokenok {version('tokenok')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    words = "run everything on this machine, with a demo"
    up_options.add_arguments(commands.add_parser("up", help=words, description=sentence(words)))
    add_housekeeping(_WithCommon(commands, common))
    nouns: dict[str, Any] = {}
    for noun, words in _NOUNS.items():
        group = commands.add_parser(noun, help=words, description=sentence(words))
        verbs = group.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
        nouns[noun] = _WithCommon(verbs, common)
    add_tools(nouns)
    add_sealing(nouns)
    add_witness(nouns["witness"])
    add_explaining(nouns)
    add_commands(nouns)
    return parser


class _WithCommon:
    """Sub-parsers that all take the common arguments, after the verb."""

    def __init__(self, into: Any, common: argparse.ArgumentParser) -> None:
        self._into = into
        self._common = common

    def add_parser(self, name: str, **more: Any) -> Any:
        return self._into.add_parser(name, parents=[self._common], **more)


def _run(values: argparse.Namespace) -> int:
    values.environ = find_environment(os.environ, data=values.data)
    settings = from_environment(values.environ)
    tool = getattr(values, "tool", None)
    if tool not in WITHOUT_DATABASE | SEALING_WITHOUT_DATABASE | WITNESS_WITHOUT_DATABASE:
        _require_database(settings)
    if tool is not None:
        outcome: Outcome = tool(settings, values)
        show(outcome.value, as_json=values.json, text=outcome.text)
        return outcome.status
    show(_command(settings, values), as_json=values.json)
    return 0


def _failed(error: Exception, values: argparse.Namespace) -> int:
    for kind, code in _UNUSABLE:
        if isinstance(error, kind):
            fail(code, str(error), as_json=values.json)
            return 2
    known = _known_code(error)
    if known is None:
        traceback.print_exception(error)  # our mistake: this helps to find it
    else:
        fail(known, _words(error), as_json=values.json)
    return getattr(values, "failure_status", 1)


def _require_database(settings: Settings) -> None:
    """Asked once, at first: a pool of connections would try for half a minute, and complain all the while."""
    if not settings.database_url:
        raise BadSetting(
            "no database is set and none is running: set DATABASE_URL, or start one with ./run up"
        )
    psycopg.connect(settings.database_url, connect_timeout=_CONNECT_S).close()


def _quiet_logs() -> None:
    """Standard output is for results: what the layers below log stays away from it, and errors go to the other."""
    logging.basicConfig(level=logging.ERROR, force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _command(settings: Settings, values: argparse.Namespace) -> dict[str, Any]:
    """Whoever can reach the database and the master key acts as the system."""
    entry: Entry = values.entry
    assert entry in COMMANDS
    command = read_command(values)
    with ports_of(settings) as ports:
        return answer_of(entry.handle(command, actor=SYSTEM, ports=ports))


def _known_code(error: Exception) -> str | None:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    code = code_of(error)
    return None if code == INTERNAL_ERROR else code


def _words(error: Exception) -> str:
    if isinstance(error, ReadModelOutdated):
        return str(error)
    if isinstance(error, psycopg.Error | PoolTimeout | PoolClosed):
        # The driver's own words may quote the address, with its password.
        return f"the database cannot be used ({type(error).__name__}); see `tokenok doctor`"
    return str(error) or type(error).__name__


def _up(values: argparse.Namespace) -> int:
    plan = Plan(
        gateway=GATEWAY,
        console=CONSOLE,
        sandbox=SANDBOX,
        others=(WORKER, SCHEDULER),
        check=lambda settings, environ: run_checks(settings, environ=environ, with_schema=False),
        migrate=migrate,
        seed_demo=seed_demo,
        way_in=_way_in,
        demo_model="demo",
        known_errors=_KNOWN,
    )
    return up.run(up_options.from_namespace(values), plan=plan, environ=os.environ)


def _way_in(settings: Settings) -> str:
    with ports_of(settings) as ports:
        link = first_way_in.handle(ports=ports)
        return link.link.reveal() if link else ""


if __name__ == "__main__":
    sys.exit(main())
