"""`tokenok up`: database, queue, gateways, worker, scheduler and a demo, in one terminal, with one way to stop it."""

import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import TextIO

from adapters.embedded import EmbeddedError, EmbeddedServers
from launcher.banner import banner
from launcher.children import Children
from launcher.errors import Refused, UpError
from launcher.options import UpOptions, data_root
from launcher.plan import Plan
from launcher.ready import listen, listen_for_console, origin_of, write_ready_file
from launcher.screen import Screen
from launcher.secrets import NAMES
from launcher.signals import Signals, StopAsked
from launcher.start import Start
from settings import BadSetting, from_environment

_GRACE_S = 10.0
_TICK_S = 1.0


def run(options: UpOptions, *, plan: Plan, environ: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Start everything, watch it until told to stop, stop it. Returns the exit status; call it from the main thread."""
    known: tuple[type[Exception], ...] = (UpError, EmbeddedError, BadSetting, OSError, *plan.known_errors)
    screen = Screen(out, is_terminal=out.isatty(), has_colour="NO_COLOR" not in environ)
    with Signals() as signals:
        try:
            _Up(options, plan=plan, environ=environ, screen=screen, signals=signals).run()
        except StopAsked:
            screen.line("\nStopped.")
        except known as error:
            screen.failure(str(error))
            return 1
    return 0


class _Up:
    def __init__(
        self, options: UpOptions, *, plan: Plan, environ: Mapping[str, str], screen: Screen, signals: Signals
    ) -> None:
        self._options = options
        self._plan = plan
        self._environ = environ
        self._screen = screen
        self._signals = signals
        self._settings = from_environment(environ)

    def run(self) -> None:
        options, settings = self._options, self._settings
        root = data_root(options.data, configured=settings.tokenok_data, environ=self._environ)
        self._screen.line(f"Tokenok, with its data in {root}\n")
        with ExitStack() as stack:
            servers = stack.enter_context(EmbeddedServers(root, pg_bin=settings.tokenok_pg_bin))
            if options.ready_file:  # one of an earlier start would be believed
                options.ready_file.unlink(missing_ok=True)
            if options.is_reset:
                self._reset(servers)
            listener = stack.enter_context(closing(listen(options.host, options.port)))
            console_listener = stack.enter_context(
                closing(listen_for_console(options.host, options.console_port, after=listener))
            )
            children = Children()
            stack.callback(self._stop, children)
            start = Start(
                options,
                plan=self._plan,
                screen=self._screen,
                signals=self._signals,
                servers=servers,
                children=children,
                listener=listener,
                console_listener=console_listener,
                environ=self._environ,
            )
            with self._signals.interrupting():
                start.run()
                self._announce(
                    start,
                    origin=origin_of(listener),
                    console=start.settings.console_url or origin_of(console_listener),
                )
            self._watch(children, servers)
            self._screen.line("\nStopping (once more to do it at once) ...")
        self._screen.line("Stopped.")

    def _announce(self, start: Start, *, origin: str, console: str) -> None:
        ready_file = self._options.ready_file
        if ready_file:
            write_ready_file(
                ready_file,
                origin=origin,
                console=console,
                demo=start.demo,
                way_in=start.way_in,
                database_url=start.settings.database_url,
            )
        self._screen.line(
            banner(
                origin=origin,
                console=console,
                demo=start.demo,
                way_in=start.way_in,
                model=self._plan.demo_model,
                logs=start.logs,
                data=self._options.data and start.logs.parent,
                mails=start.mails,
            )
        )

    def _watch(self, children: Children, servers: EmbeddedServers) -> None:
        """Until told to stop, start again what ends by itself, and say so."""
        server_failures, servers_at = 0, 0.0
        while not self._signals.asked:
            for said in children.tick():
                self._screen.notice(said)
            if time.monotonic() >= servers_at:
                try:
                    with self._signals.interrupting():
                        names = servers.restart_ended()
                except EmbeddedError as error:
                    self._screen.notice(str(error))
                    server_failures += 1
                    servers_at = time.monotonic() + min(30.0, 2.0**server_failures)
                except StopAsked:
                    return
                else:
                    server_failures = 0
                    for name in names:
                        self._screen.notice(f"{name} ended by itself and was started again")
            self._signals.wait(_TICK_S)

    def _stop(self, children: Children) -> None:
        if self._options.ready_file:
            self._options.ready_file.unlink(missing_ok=True)
        drain_s = self._settings.drain_s + _GRACE_S
        children.stop(self._signals, last=[self._plan.sandbox.name], drain_s=drain_s)

    def _reset(self, servers: EmbeddedServers) -> None:
        root = servers.data_root
        if self._settings.database_url:
            raise Refused(
                "--reset deletes the embedded database only, and DATABASE_URL names another one: unset it"
            )
        if not self._options.is_confirmed:
            self._confirm(
                f"This deletes the database, the keys and the logs in {root} for good. Go on? [y/N] "
            )
        servers.erase()
        for path in (*(root / name for name in NAMES), root / "logs", root / "run"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _confirm(self, question: str) -> None:
        if not sys.stdin.isatty():
            raise Refused("--reset asks first, and there is no terminal to answer on: add --yes")
        with self._signals.interrupting():
            if input(question).strip().lower() not in {"y", "yes"}:
                raise Refused("nothing was deleted")
