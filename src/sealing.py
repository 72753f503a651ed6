"""The sealer of a process: a thread that seals what is new in the log, whenever it is its turn."""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import structlog

from adapters.eventstore.store import PostgresEventStore
from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.keys import SealKeys, parse_seal_keys
from adapters.sealing.turn import sealing_turn
from adapters.sealing.witnesses import WitnessClient
from application.eventlog import EventLogError
from application.sealing.directory import TilesMissing
from application.sealing.sealer import EVENTS_MAX, Forked, LogSealer
from application.sealing.witnessing import Witnessing
from bootstrap import open_pool, open_store, sealed_directory, witnesses_of
from domain.catalogue.addresses import Allowlist
from domain.sealing.notes import BadNote
from settings import Settings

_NAME: Final = "tokenok-sealer"  # of its database connections
_RETRY_S: Final = 2.0

log = structlog.get_logger()


class LogSealing:
    """Runs while the block runs. Where nothing is set up for it, says so once and does nothing.

    What does not fit to what was signed stops it for good: an alarm in the log, in the metrics and at `/readyz`. Only
    a new start looks again.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises `BadKey`: `SEAL_KEY` or `WITNESSES` is set and cannot be used."""
        self._settings = settings
        self._keys = parse_seal_keys(settings.seal_key) if settings.seal_key else None
        self._witnesses = witnesses_of(settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        self._asking = threading.Thread(target=self._ask_witnesses, name="witnessing", daemon=True)

    def __enter__(self) -> Self:
        if self._keys is None or self._keys.signer is None or not self._settings.seal_dir:
            log.warning("sealing_off", reason="SEAL_KEY has no private key, or SEAL_DIR is not set")
        else:
            self._thread.start()
            if self._witnesses:
                self._asking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._asking.is_alive():
            self._asking.join()

    def _run(self) -> None:
        assert self._keys is not None
        with (
            open_store(self._settings, application_name=_NAME) as store,
            open_pool(self._settings, size_max=1) as pool,
        ):
            book = PostgresCheckpointBook(pool)
            while not self._stop.is_set():
                try:
                    self._take_turn(_sealer(self._settings, self._keys, store, book), book)
                except Forked as fork:
                    log.error("sealing_stopped", code=fork.code, reason=str(fork))  # noqa: TRY400  a trace says no more
                    with suppress(EventLogError):
                        book.set_fault(fork.code, str(fork))
                    return
                except (EventLogError, OSError) as error:
                    log.warning("sealing_waits", error=type(error).__name__)
                self._stop.wait(_RETRY_S)

    def _ask_witnesses(self) -> None:
        """A thread of its own: whatever witnesses do, sealing goes on."""
        assert self._keys is not None
        settings = self._settings
        witnessing = Witnessing(
            directory=sealed_directory(settings),
            trust=self._keys.trust,
            witnesses=self._witnesses,
            submit=WitnessClient(Allowlist.parse(settings.allow_private_upstreams)),
            quorum=settings.witness_quorum,
        )
        while not self._stop.is_set():
            try:
                witnessing.run_once()
            except (BadNote, TilesMissing, OSError) as error:
                log.warning("witnessing_waits", error=type(error).__name__)
            self._stop.wait(settings.witness_every_s)

    def _take_turn(self, sealer: LogSealer, book: PostgresCheckpointBook) -> None:
        """Seal until this process is stopped, if no other has the turn."""
        with sealing_turn(self._settings.database_url, application_name=_NAME) as look:
            if look is None:
                return
            sealer.run_once()
            book.clear_fault()
            while not self._stop.is_set():
                look()
                if sealer.run_once() < EVENTS_MAX:
                    self._stop.wait(self._settings.seal_every_s)


def _sealer(
    settings: Settings, keys: SealKeys, store: PostgresEventStore, book: PostgresCheckpointBook
) -> LogSealer:
    assert keys.signer is not None
    return LogSealer(
        log=store, directory=sealed_directory(settings), book=book, signer=keys.signer, trust=keys.trust
    )
