"""Port to the read models as a whole: how far they are, whether they stand, and how to build them anew."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from application.eventlog import RecordedEvent


class ReadableLog(Protocol):
    """The part of `application.eventlog.EventStore` that read models and verification use."""

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]: ...

    def head_position(self) -> int: ...


class UnknownProjection(Exception):
    """No read model has this name; nothing was done."""


class RebuildRunning(Exception):
    """Another process rebuilds this read model right now; nothing was done."""


class ReadModelOutdated(Exception):
    """Read models are of another version of the code, and what was asked cannot be read from them. Nothing was done."""

    code = "read_model_outdated"
    retry_after_s = 15.0

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"waits after an upgrade: {', '.join(self.names)}; a worker brings it up to date, "
            "or `tokenok projections rebuild` does"
        )


class ProjectionStopped(msgspec.Struct, frozen=True):
    """Why a read model does not go on. `error` names the class of the failure, never values of a row."""

    position: int  #: the event it cannot get past
    error: str
    tries: int
    since_us: int


class ProjectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far a read model is. `events_behind` is an upper bound, since positions may have gaps."""

    name: str
    generation: int  #: counts rebuilds
    position: int
    events_behind: int
    behind_s: float  #: age of the oldest event that is not in it yet, 0 when there is none
    is_outdated: bool  #: its tables are of another version of the code; it waits for a rebuild
    stopped: ProjectionStopped | None


class ContentHash(msgspec.Struct, frozen=True):
    """SHA-256 over a read model's rows in the order of their keys, as canonical text, at a log position."""

    position: int
    sha256: str
    rows: int


class Comparison(msgspec.Struct, frozen=True):
    """A read model as it is in use, and as the log makes it anew at the same position."""

    name: str
    live: ContentHash
    rebuilt: ContentHash

    @property
    def is_equal(self) -> bool:
        return self.live == self.rebuilt


class Projections(Protocol):
    """Blocking; safe to use from threads and processes at once."""

    def names(self) -> tuple[str, ...]: ...

    def status(self) -> tuple[ProjectionStatus, ...]:
        """All read models, in the order of `names`; cheap enough to call at each metrics scrape."""
        ...

    def rebuild(self, name: str) -> ContentHash:
        """Build it from the whole log beside the one in use, then switch; readers see the old one until then.

        Raises:
            UnknownProjection: there is none of this name.
            RebuildRunning: another process is at it.
        """
        ...

    def rebuild_all(self) -> dict[str, ContentHash]:
        """As `rebuild`, for every read model in one pass over the log; takes a connection for each.

        Raises:
            RebuildRunning: another process rebuilds one of them.
        """
        ...

    def compare(self, name: str) -> Comparison:
        """Build it from the whole log beside the one in use, to the position of that, and switch to neither.

        Raises:
            UnknownProjection, RebuildRunning: as `rebuild`.
        """
        ...

    def content_hash(self, name: str) -> ContentHash:
        """What it holds now.

        Raises:
            UnknownProjection: there is none of this name.
        """
        ...
