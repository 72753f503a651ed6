"""A log, a directory and a book in memory, where any step can be the last one of a process."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from adapters.sealing.ed25519 import Ed25519Signer, verify
from application.eventlog import RecordedEvent
from application.sealing.directory import SealedDirectory
from application.sealing.ports import KeptCheckpoint, SealFault
from application.sealing.sealer import LogSealer
from application.sealing.trust import Trust
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.leaf import leaf
from domain.sealing.tree import leaf_hash
from tests.domain.sealing import naive

LOG_KEY = Ed25519Signer("example.com/log", bytes(range(32)))
STREAM = UUID("0190f3a0-0000-7000-8000-000000000001")


class Killed(Exception):
    """The process is gone; nothing after this happened."""


class Steps:
    """Counts what a process does to the outside, and ends it at the n-th."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.done = 0

    def take(self) -> None:
        if self.left is not None:
            if not self.left:
                raise Killed
            self.left -= 1
        self.done += 1


class MemoryFiles:
    """Implements `SealedFiles`; every single file is a step."""

    def __init__(self, steps: Steps) -> None:
        self.files: dict[str, bytes] = {}
        self._steps = steps

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self._steps.take()
            self.files[name] = data

    def remove(self, folders: Iterable[str]) -> None:
        for folder in folders:
            for name in [name for name in self.files if name.startswith(f"{folder}/")]:
                self._steps.take()
                del self.files[name]


class MemoryBook:
    """Implements `CheckpointBook`."""

    def __init__(self, steps: Steps) -> None:
        self.kept: list[KeptCheckpoint] = []
        self.trouble: SealFault | None = None
        self._steps = steps

    def newest(self) -> KeptCheckpoint | None:
        return max(self.kept, key=lambda one: one.size, default=None)

    def keep(self, checkpoint: KeptCheckpoint) -> None:
        self._steps.take()
        self.kept.append(checkpoint)

    def fault(self) -> SealFault | None:
        return self.trouble

    def set_fault(self, code: str, words: str) -> None:
        self.trouble = SealFault(code=code, words=words, since_us=0)

    def clear_fault(self) -> None:
        self.trouble = None


class SealedWorld:
    """Events come in by `add`; `sealer` is a new process each time."""

    def __init__(self) -> None:
        self.steps = Steps()
        self.files = MemoryFiles(self.steps)
        self.book = MemoryBook(self.steps)
        self.directory = SealedDirectory(self.files)
        self.trust = Trust((LOG_KEY.public,), verify)
        self.log: list[RecordedEvent] = []

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        return [event for event in self.log if event.position > after_position][:limit]

    def head_position(self) -> int:
        return self.log[-1].position if self.log else 0

    def add(self, count: int = 1, *, gap: int = 0) -> None:
        for _ in range(count):
            position = self.head_position() + 1 + gap
            state = b'{"n":%d}' % position
            self.log.append(
                RecordedEvent(position, STREAM, len(self.log) + 1, "test.event.v1", state, position * 1_000)
            )
            gap = 0

    def change(self, index: int) -> None:
        event = self.log[index]
        self.log[index] = RecordedEvent(
            event.position, event.stream_id, event.version, event.topic, b'{"n":-1}', event.recorded_at_us
        )

    def sealer(self, *, events_max: int = 10_000) -> LogSealer:
        return LogSealer(
            log=self,
            directory=self.directory,
            book=self.book,
            signer=LOG_KEY,
            trust=self.trust,
            events_max=events_max,
        )

    def seal(self, *, events_max: int = 10_000) -> None:
        """A process that seals all there is, then ends."""
        sealer = self.sealer(events_max=events_max)
        while sealer.run_once():
            pass

    def signed(self) -> Checkpoint:
        note = self.directory.checkpoint()
        assert note is not None
        return self.trust.open(note)

    def leaves(self, log: Sequence[RecordedEvent] | None = None) -> list[bytes]:
        return [leaf_hash(leaf(event)) for event in (self.log if log is None else log)]

    def wanted(self, size: int | None = None) -> Checkpoint:
        """What an honest checkpoint over the log says, by the naive tree."""
        leaves = self.leaves()[:size]
        return Checkpoint(LOG_KEY.public.name, len(leaves), naive.mth(leaves))
