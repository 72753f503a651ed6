"""What surfaces and workers may ask about long work, as last projected; and how far what is under way has come."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

import msgspec

from domain.work import Outcome, WorkKind


class WorkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work. Times are Unix microseconds. `outcome` is none while it waits or is under way."""

    work_id: UUID
    kind: WorkKind
    target: str
    asked_by: str
    asked_us: int
    position: int  #: of the asking
    outcome: Outcome | None = None
    ended_us: int | None = None
    figures: dict[str, int] = msgspec.field(default_factory=dict)
    problem: str = ""


class WorkPage(msgspec.Struct, frozen=True, kw_only=True):
    """Work, newest first. `next_before` is the `before_position` of the next page; null on the last."""

    items: tuple[WorkRow, ...]
    next_before: int | None


class WorkQueries(Protocol):
    """Blocking; safe to use from threads."""

    def work(self, *, before_position: int | None = None, limit: int = 100) -> WorkPage: ...

    def one(self, work_id: UUID) -> WorkRow | None: ...

    def unfinished(self, *, limit: int) -> list[WorkRow]:
        """What waits or is under way, the oldest first."""
        ...


class Progress(msgspec.Struct, frozen=True):
    """How far it is: `done` of `whole` positions of the log."""

    done: int
    whole: int


class WorkView(msgspec.Struct, frozen=True, kw_only=True):
    """A page, and how far those of it are that are under way."""

    items: tuple[WorkRow, ...]
    under_way: dict[UUID, Progress]
    next_before: int | None


class Runs(Protocol):
    """Who is at which work, beside the log: a worker that stops beating loses it to another. Blocking."""

    def claim(self, work_id: UUID, worker_id: UUID, *, now_us: int) -> bool:
        """Take it, unless another worker is at it."""
        ...

    def beat(self, work_id: UUID, worker_id: UUID, progress: Progress, *, now_us: int) -> bool:
        """Still at it, and so far; false if another worker has it now."""
        ...

    def give_back(self, work_id: UUID, worker_id: UUID) -> None:
        """Not at it any more: it is ended, or the next worker may begin anew."""
        ...

    def progress(self, work_ids: Iterable[UUID]) -> dict[UUID, Progress]:
        """Of those that are under way."""
        ...


def work_view(
    works: WorkQueries, runs: Runs, *, before_position: int | None = None, limit: int = 100
) -> WorkView:
    """Newest first. Blocking."""
    page = works.work(before_position=before_position, limit=limit)
    waiting = [one.work_id for one in page.items if one.outcome is None]
    return WorkView(
        items=page.items, under_way=runs.progress(waiting) if waiting else {}, next_before=page.next_before
    )
