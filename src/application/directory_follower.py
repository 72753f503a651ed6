"""Keeps a directory up to date: reads the log in a thread, folds it on the loop in slices of a few milliseconds.

A poll every second does not depend on any wake-up, so a revoked key is refused within two seconds also when
nothing can wake us. When the log cannot be read, `age_s` grows, and past a limit `is_fresh` is False.
"""

import asyncio
from time import perf_counter
from typing import Final

import msgspec
import structlog

from application.clock import Clock
from application.directory import Directory
from application.eventlog import EventLogError, EventStore, RecordedEvent
from application.vault import SecretRef, Vault, VaultError
from domain.event import UnknownTopic
from domain.secret import Secret

log = structlog.get_logger()

_CLOCK_EVERY: Final = 16


class FollowerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How closely to follow."""

    poll_s: float = 1.0
    gap_s: float = 0.02  #: shortest time between two looks, however often it is woken
    batch_max: int = 1_000  #: events in one read
    slice_s: float = 0.002  #: longest time on the loop before others get their turn
    stale_s_max: float = 30.0  #: age above which the directory must not be trusted


class DirectoryFollower:
    """Owns the directory's progress. `catch_up` once before serving, then `run` for ever."""

    def __init__(
        self,
        directory: Directory,
        *,
        store: EventStore,
        vault: Vault,
        clock: Clock,
        settings: FollowerSettings | None = None,
    ) -> None:
        self._directory = directory
        self._store = store
        self._vault = vault
        self._clock = clock
        self._settings = settings or FollowerSettings()
        self._wake = asyncio.Event()
        self._seen_head_s: float | None = None
        self._failing = ""
        self._is_doubted = False
        self._complained: set[SecretRef] = set()

    @property
    def position(self) -> int:
        """Everything up to here is in the directory."""
        return self._directory.position

    @property
    def age_s(self) -> float:
        """How long ago a read began after which nothing was left to read; infinite before the first."""
        return float("inf") if self._seen_head_s is None else self._clock.monotonic_s() - self._seen_head_s

    @property
    def is_fresh(self) -> bool:
        """Whether the directory may be trusted to let anyone in."""
        return self.age_s <= self._settings.stale_s_max

    def start_over(self) -> None:
        """The log may have lost its tail and have got another one: read it from its beginning, soon.

        Until that is done the directory serves as it was.
        """
        self._is_doubted = True
        self.wake()

    def wake(self) -> None:
        """Look at the log now; call it on the loop whenever it may have grown."""
        self._wake.set()

    async def catch_up(self) -> None:
        """Read on to the end of the log, then open the secrets that are missing.

        Raises:
            EventLogError: the log cannot be read.
            UnknownTopic, msgspec.DecodeError: it can, but not by this code.
        """
        if self._is_doubted:
            await self._read_anew()
        self._seen_head_s = await self._read_into(self._directory)

    async def _read_anew(self) -> None:
        """All of it, beside the directory that serves meanwhile."""
        self._is_doubted = False
        fresh = self._directory.blank()
        try:
            await self._read_into(fresh)
        except BaseException:
            self._is_doubted = True
            raise
        self._directory.become(fresh)
        log.info("directory_read_anew", position=self.position)

    async def _read_into(self, directory: Directory) -> float:
        """Up to the end; when the last read began."""
        limit = self._settings.batch_max
        while True:
            began_s = self._clock.monotonic_s()
            batch = await asyncio.to_thread(
                self._store.read_control, after_position=directory.position, limit=limit
            )
            await self._apply(directory, batch)
            if len(batch) < limit:
                break
        await self._open_secrets(directory)
        return began_s

    async def run(self) -> None:
        """Follow until cancelled. What goes wrong is logged once and tried again at the next poll."""
        while True:
            self._wake.clear()
            try:
                await self.catch_up()
            except (EventLogError, UnknownTopic, msgspec.DecodeError) as error:
                self._report(type(error).__name__)
            else:
                self._report("")
            await asyncio.sleep(self._settings.gap_s)
            try:
                async with asyncio.timeout(self._settings.poll_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _apply(self, directory: Directory, batch: list[RecordedEvent]) -> None:
        began_s = perf_counter()
        for number, recorded in enumerate(batch):
            directory.apply(recorded)
            if number % _CLOCK_EVERY == 0 and perf_counter() - began_s > self._settings.slice_s:
                await asyncio.sleep(0)
                began_s = perf_counter()

    async def _open_secrets(self, directory: Directory) -> None:
        missing = directory.missing_secrets()
        if not missing:
            return
        for ref, secret in await asyncio.to_thread(self._opened, missing):
            directory.put_secret(ref, secret)

    def _opened(self, refs: list[SecretRef]) -> list[tuple[SecretRef, Secret]]:
        """What of the secrets opens; routes pass over the deployments of the others, and they are tried again."""
        opened = []
        for ref in refs:
            try:
                opened.append((ref, self._vault.open(ref)))
            except VaultError as error:
                self._complain(ref, type(error).__name__)
        return opened

    def _complain(self, ref: SecretRef, reason: str) -> None:
        if ref in self._complained:
            return
        self._complained.add(ref)
        log.warning(
            "credential_not_opened",
            credential_id=str(ref.credential_id),
            secret_version=ref.secret_version,
            reason=reason,
        )

    def _report(self, failing: str) -> None:
        if failing and failing != self._failing:
            log.error("directory_not_following", reason=failing, position=self.position)
        if self._failing and not failing:
            log.info("directory_follows_again", position=self.position)
        self._failing = failing
