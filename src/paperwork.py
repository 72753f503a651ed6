"""The part of the worker that does the paperwork: issues the documents that facts call for, puts mails about facts into the outbox, and
hands over those that are due.

It needs the master key, for what is written is personal data; a worker without one does none of it.
"""

import threading
from contextlib import ExitStack
from typing import Final, Self

import structlog

from adapters.jobs.rounds import Rounds
from adapters.vault.master_keys import parse_master_keys
from application.clock import SystemClock
from bootstrap import make_ports, open_pool, open_store
from paper_tools import document_clerk, mail_delivery, mail_follower, mail_transport
from settings import Settings

_NAME: Final = "tokenok-paperwork"  # of its database connections
_LOOK_S: Final = 1.0
_STOP_S: Final = 10.0
_THREADS: Final = 3

log = structlog.get_logger()


class Paperwork:
    """A context manager: it works until it is left, and what is under way ends then."""

    def __init__(self, settings: Settings) -> None:
        """Nothing runs yet.

        Raises:
            BadSetting, BadMasterKey: a setting cannot be used.
        """
        self._settings = settings
        self._transport = mail_transport(settings)
        if settings.tokenok_master_key:
            parse_master_keys(settings.tokenok_master_key)
        self._stop = threading.Event()
        self._rounds: list[Rounds] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if not self._settings.tokenok_master_key:
            log.warning("paperwork_off", needed="TOKENOK_MASTER_KEY")
            return self
        store = self._stack.enter_context(
            open_store(self._settings, connections_max=_THREADS + 1, application_name=_NAME)
        )
        pool = self._stack.enter_context(open_pool(self._settings, size_max=_THREADS + 1))
        ports = make_ports(self._settings, store=store, pool=pool, clock=SystemClock())
        work = {"documents": document_clerk(ports, pool).issue_due}
        if self._transport is not None:
            work["mail-follow"] = mail_follower(self._settings, ports, pool).follow
            delivery = mail_delivery(self._settings, ports, pool, self._transport)
            work["mail-deliver"] = delivery.deliver_due
        for name, do_due in work.items():
            self._rounds.append(Rounds(name, do_due, every_s=_LOOK_S, stop=self._stop))
            self._rounds[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._rounds:
            one.join(_STOP_S)
        self._stack.close()
