"""The command line as a process of its own, and the read models brought up to date as the worker does it."""

import json
import os
import subprocess
import sys
from typing import Any

from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.runner import Runner
from projections.tail import LogTail


class Cli:
    """Runs `tokenok`; `environment` replaces what this process has of settings."""

    def __init__(self, **environment: str) -> None:
        ours = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        self._environment = ours | environment

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """What it prints with `--json`; it must succeed."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def text(self, *arguments: str) -> str:
        """What it prints for people; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


def project(database_url: str) -> None:
    """Bring the read models to the end of the log."""
    with (
        PostgresEventStore(database_url) as store,
        projection_pool(database_url, size_max=4) as pool,
    ):
        projections = all_projections()
        runner = Runner(
            pool=pool,
            reader=LogTail(store),
            registry=REGISTRY,
            projections=projections,
            clock=SystemClock(),
        )
        for one in projections:
            runner.catch_up(one.name)
