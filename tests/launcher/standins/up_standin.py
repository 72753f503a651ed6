"""`tokenok up` with stand-ins for everything that it starts, but real servers below."""

import argparse
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from adapters import doctor
from launcher import up
from launcher.options import add_arguments, from_namespace
from launcher.plan import ChildSpec, Plan
from settings import Settings

_HERE = Path(__file__).parent


@dataclass
class Seed:
    account_id: str
    api_key: str
    operator_token: str
    credits_nano: int
    operator_email: str = "admin@localhost"
    operator_password: str = ""
    member_email: str = "customer@localhost"
    member_password: str = ""


def migrate(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS demo (account_id text, sandbox text)")


def seed_demo(settings: Settings, *, sandbox_base_url: str, data_root: Path) -> Seed:
    """As the real one: the secrets are told only once, when they are made."""
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(
            "UPDATE demo SET sandbox = %s RETURNING account_id", (sandbox_base_url,)
        ).fetchone()
        if row:
            return Seed(row[0], "", "", 25_000_000_000)
        account_id = secrets.token_hex(4)
        connection.execute("INSERT INTO demo VALUES (%s, %s)", (account_id, sandbox_base_url))
    assert data_root.is_dir()
    return Seed(account_id, f"key-{secrets.token_hex(8)}", f"operator-{secrets.token_hex(8)}", 25_000_000_000)


def child(name: str, script: str, *arguments: str) -> ChildSpec:
    return ChildSpec(name=name, command=(sys.executable, str(_HERE / script), *arguments))


def main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    plan = Plan(
        gateway=child("gateway", "gateway.py", "--fd", "{fd}"),
        console=child("console", "console.py", "--fd", "{console_fd}"),
        sandbox=child("sandbox", "sandbox.py", "--port", "{port}", "--ready-file", "{ready_file}"),
        others=(child("worker", "worker.py"),),
        check=lambda settings, environ: doctor.run_checks(settings, environ=environ, with_schema=False),
        migrate=migrate,
        seed_demo=seed_demo,
        way_in=lambda settings: "/join/first",
        demo_model="demo-model",
        known_errors=(psycopg.Error,),
    )
    return up.run(from_namespace(parser.parse_args()), plan=plan, environ=os.environ)


if __name__ == "__main__":
    sys.exit(main())
