"""What `tokenok up` runs, as data, so that its supervisor can be tried with small stand-ins."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from adapters.doctor import Finding
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """One process. In `command`, `{fd}`, `{console_fd}`, `{port}` and `{ready_file}` are filled in when it is started."""

    name: str
    command: tuple[str, ...]


class DemoSeed(Protocol):
    """What the demo consists of. A secret that exists already and cannot be told again is the empty string."""

    @property
    def account_id(self) -> UUID | str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def operator_token(self) -> str: ...
    @property
    def credits_nano(self) -> int: ...
    @property
    def operator_email(self) -> str: ...
    @property
    def operator_password(self) -> str: ...
    @property
    def member_email(self) -> str: ...
    @property
    def member_password(self) -> str: ...


class SeedDemo(Protocol):
    def __call__(self, settings: Settings, *, sandbox_base_url: str, data_root: Path) -> DemoSeed:
        """Make the demo, or bring the one that is there to this sandbox's address. Called at every start."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The processes and the steps between them. `known_errors` are shown as one sentence, others as our mistake."""

    gateway: ChildSpec
    console: ChildSpec
    sandbox: ChildSpec
    others: tuple[ChildSpec, ...]
    check: Callable[[Settings, Mapping[str, str]], Sequence[Finding]]  #: with the environment they came from
    migrate: Callable[[Settings], object]
    seed_demo: SeedDemo
    way_in: Callable[[Settings], str]  #: the path with which the first operator comes in; empty once one has
    demo_model: str
    known_errors: tuple[type[Exception], ...] = field(default=())


def python_module(name: str, module: str, *arguments: str) -> ChildSpec:
    return ChildSpec(name=name, command=(sys.executable, "-m", module, *arguments))


GATEWAY = python_module("gateway", "gateway_main", "--fd", "{fd}")
CONSOLE = python_module("console", "console_main", "--fd", "{console_fd}")
SANDBOX = python_module("sandbox", "sandbox", "--port", "{port}", "--ready-file", "{ready_file}")
WORKER = python_module("worker", "worker")
SCHEDULER = python_module("scheduler", "scheduler")
