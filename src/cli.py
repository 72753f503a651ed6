"""Entry point of the command line: `tokenok --help`."""

import argparse
import os
import sys

import up
import up_options
from adapters.doctor import run_checks
from adapters.eventstore.migrations import MigrationError
from application.eventlog import EventLogError
from application.vault import VaultError
from bootstrap import migrate
from demo_seed import seed_demo
from domain.refusal import Refusal
from settings import Settings
from up_plan import GATEWAY, SANDBOX, SCHEDULER, WORKER, Plan


def main() -> int:
    parser = argparse.ArgumentParser(prog="tokenok")
    commands = parser.add_subparsers(dest="command", required=True)
    up_options.add_arguments(commands.add_parser("up"))
    values = parser.parse_args()
    plan = Plan(
        gateway=GATEWAY,
        sandbox=SANDBOX,
        others=(WORKER, SCHEDULER),
        check=lambda settings: run_checks(settings, environ=os.environ, with_schema=False),
        migrate=migrate,
        seed_demo=seed_demo,
        demo_model="demo",
        known_errors=(MigrationError, EventLogError, VaultError, Refusal),
    )
    return up.run(up_options.from_namespace(values), plan=plan, environ=os.environ)


if __name__ == "__main__":
    sys.exit(main())
