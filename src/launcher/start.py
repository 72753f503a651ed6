"""The steps from nothing to "everything serves", in order; whatever fails raises, and the caller stops what runs."""

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from adapters.embedded import EmbeddedServers
from launcher.child import Child
from launcher.children import Children
from launcher.errors import NotReady, Refused, UpError
from launcher.leftover import MARK, settle_children
from launcher.options import UpOptions
from launcher.plan import ChildSpec, Plan
from launcher.ready import origin_of, why_not_ready
from launcher.screen import Screen
from launcher.secrets import (
    Demo,
    ensure_master_key,
    ensure_seal_keys,
    exports_dir,
    mail_dir,
    master_key_path,
    remember_demo,
    seal_dir,
    seal_environment,
    seal_key_path,
)
from launcher.signals import Signals
from settings import from_environment

_READY_S_MAX = 120.0
_POLL_S = 0.05
_ANSWER_S = 0.5
_ANSWER_S_MAX = 5.0


class Start:
    """One start. After `run`, the addresses and the demo are known and everything serves."""

    def __init__(
        self,
        options: UpOptions,
        *,
        plan: Plan,
        screen: Screen,
        signals: Signals,
        servers: EmbeddedServers,
        children: Children,
        listener: socket.socket,
        console_listener: socket.socket,
        environ: Mapping[str, str],
    ) -> None:
        self._options = options
        self._plan = plan
        self._screen = screen
        self._signals = signals
        self._servers = servers
        self._children = children
        self._listener = listener
        self._console_listener = console_listener
        self._data_root = servers.data_root
        self._run = self._data_root / "run"
        self.logs = self._data_root / "logs"
        self.environment = {**environ, "TOKENOK_DATA": str(self._data_root), MARK: str(self._data_root)}
        self.settings = from_environment(environ)
        self.demo: Demo | None = None
        self.way_in = ""  #: a path of the console's, until the first operator has come in

    def run(self) -> None:
        """Do all of it.

        Raises:
            UpError, EmbeddedError, BadSetting, or one of the plan's known errors: the message is for the operator.
        """
        for directory in (self.logs, self._run):
            directory.mkdir(mode=0o700, exist_ok=True)
        ended = settle_children(self._data_root)
        if ended:
            self._screen.notice(f"{ended} processes of an earlier start were still running and were ended")
        self._provide_key()
        self._provide_seal()
        self._provide_mail()
        self._provide_exports()
        self._provide_servers()
        self.settings = from_environment(self.environment)
        self._check()
        with self._screen.step("Database schema"):
            self._plan.migrate(self.settings)
        if self._options.with_demo:
            self._provide_demo()
        else:
            self.way_in = self._plan.way_in(self.settings)
        self._start_serving()

    def _provide_key(self) -> None:
        if self.settings.tokenok_master_key:
            return
        path = master_key_path(self._data_root)
        if not path.exists() and self._servers.has_database():
            raise Refused(
                f"the master key {path} is gone, and the database was made with it: "
                "restore it, or begin anew with --reset"
            )
        with self._screen.step("Master key") as step:
            is_new = ensure_master_key(self._data_root)
            step.detail = f"new, in {path}: keep a copy" if is_new else ""
        self.environment["TOKENOK_MASTER_KEY_FILE"] = str(path)

    def _provide_seal(self) -> None:
        """Unless the operator seals elsewhere, in the data root with keys of its own."""
        if self.settings.seal_key or self.settings.seal_dir:
            return
        folder, key = seal_dir(self._data_root), seal_key_path(self._data_root)
        if folder.exists() and not key.exists():
            raise Refused(
                f"the key {key} is gone, and the log in {folder} was sealed with it: "
                "restore it, or begin anew with --reset"
            )
        ensure_seal_keys(self._data_root)
        self.environment |= seal_environment(self._data_root)

    def _provide_mail(self) -> None:
        """Without a mail server mails are files, so that every link that is sent can be followed."""
        if not (self.settings.smtp_url or self.settings.mail_dir):
            self.environment["MAIL_DIR"] = str(mail_dir(self._data_root))

    @property
    def mails(self) -> Path | None:
        """Where mails are written instead of being sent."""
        folder = self.environment.get("MAIL_DIR")
        return Path(folder) if folder else None

    def _provide_exports(self) -> None:
        if not self.settings.exports_dir:
            self.environment["EXPORTS_DIR"] = str(exports_dir(self._data_root))

    def _provide_servers(self) -> None:
        if not self.settings.database_url:
            with self._screen.step("Postgres"):
                self.environment["DATABASE_URL"] = self._servers.start_postgres()
        if not self.settings.redis_url:
            with self._screen.step("Valkey"):
                self.environment["REDIS_URL"] = self._servers.start_valkey()
        for notice in self._servers.notices:
            self._screen.notice(notice)

    def _check(self) -> None:
        with self._screen.step("Start-up checks"):
            findings = self._plan.check(self.settings, self.environment)
            fatal = [str(finding) for finding in findings if finding.is_fatal]
            if fatal:
                raise Refused("\n         ".join(fatal))
        for finding in findings:
            self._screen.notice(str(finding))

    def _provide_demo(self) -> None:
        with self._screen.step("Sandbox provider") as step:
            address = self._start_sandbox()
            step.detail = address
        with self._screen.step("Demo account"):
            seed = self._plan.seed_demo(self.settings, sandbox_base_url=address, data_root=self._data_root)
            self.demo = remember_demo(self._data_root, seed)

    def _start_sandbox(self) -> str:
        ready_file = self._run / "sandbox.json"
        ready_file.unlink(missing_ok=True)
        child = self._add(self._plan.sandbox, port="0", ready_file=str(ready_file))
        give_up_at = time.monotonic() + _READY_S_MAX
        while (address := _base_url_in(ready_file)) is None:
            self._wait_a_little(give_up_at, f"the sandbox provider is not ready, see {child.log_path}")
        # If it must be started again, it has to come back where the catalogue says that it is.
        child.values["port"] = str(address.rsplit(":", 1)[1].partition("/")[0])
        return address

    def _start_serving(self) -> None:
        count = self._options.gateways
        with self._screen.step("Gateway, console, worker, scheduler") as step:
            self._allow_sandbox()
            self._provide_addresses()
            for number in range(1, count + 1):
                self._add(self._plan.gateway, name=f"gateway-{number}" if count > 1 else "gateway")
            for spec in (self._plan.console, *self._plan.others):
                self._add(spec)
            give_up_at = time.monotonic() + _READY_S_MAX
            origins = [origin_of(self._listener), origin_of(self._console_listener)]
            patience_s = _ANSWER_S
            while (
                reason := next(
                    filter(None, (why_not_ready(one, timeout_s=patience_s) for one in origins)), ""
                )
            ) or not self._children.all_running():
                # Short at first, since a gateway that cannot start leaves us waiting on its open socket.
                patience_s = min(_ANSWER_S_MAX, patience_s * 1.5)
                self._wait_a_little(give_up_at, f"not everything serves: {reason}; see {self.logs}")
            step.detail = f"{count} gateway processes" if count > 1 else ""

    def _provide_addresses(self) -> None:
        """Where the console and the API are, unless the operator has said what people are to type."""
        if not self.settings.console_url:
            self.environment["CONSOLE_URL"] = origin_of(self._console_listener)
        if not self.settings.api_url:
            self.environment["API_URL"] = origin_of(self._listener)

    def _allow_sandbox(self) -> None:
        """The demo's provider is on this machine, where providers must not point to unless it is allowed."""
        if self.demo is not None:
            allowed = filter(None, (self.settings.allow_private_upstreams, "127.0.0.1"))
            self.environment["ALLOW_PRIVATE_UPSTREAMS"] = ",".join(allowed)

    def _add(self, spec: ChildSpec, *, name: str = "", **values: str) -> Child:
        sockets = {"{fd}": self._listener.fileno(), "{console_fd}": self._console_listener.fileno()}
        return self._children.add(
            Child(
                spec,
                name=name or spec.name,
                environment=self.environment,
                logs=self.logs,
                values={**values, **{place[1:-1]: str(number) for place, number in sockets.items()}},
                pass_fds=[number for place, number in sockets.items() if place in spec.command],
            )
        )

    def _wait_a_little(self, give_up_at: float, reason: str) -> None:
        for said in self._children.tick():
            self._screen.line(f"\n  {said}")
        self._children.refuse_early_ends()
        if time.monotonic() > give_up_at:
            raise NotReady(reason)
        self._signals.wait(_POLL_S)


def _base_url_in(ready_file: Path) -> str | None:
    try:
        return str(json.loads(ready_file.read_text(encoding="utf-8"))["base_url"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        raise UpError(f"{ready_file} cannot be read: {error}") from None
