"""Long work that operators ask for: building a read model anew, or writing what the log says into files."""

import re
from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.event import Event
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.refusal import AlreadyExists, BadField

WorkKind = Literal["rebuild", "ledger", "charges", "journal"]
Outcome = Literal["done", "failed"]
JOURNALS: Final = ("beancount", "hledger")
EVERYTHING: Final = ""
"""As a target: all read models, or charges of all months."""
_NAME: Final = re.compile(r"[a-z][a-z_]{0,62}")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class WorkAsked(Fact, frozen=True, kw_only=True):
    """A worker is to do it. `target`: a read model, a month (`2026-11`), or a form of journal; empty where there is no choice."""

    TOPIC: ClassVar[str] = "work.asked.v1"

    work_id: UUID
    kind: WorkKind
    target: str = EVERYTHING


class WorkEnded(Fact, frozen=True, kw_only=True):
    """It is done, or cannot be. `figures` are what a reader checks it by, such as `events` and `bytes`."""

    TOPIC: ClassVar[str] = "work.ended.v1"

    work_id: UUID
    outcome: Outcome
    figures: dict[str, int] = msgspec.field(default_factory=dict)
    problem: str = ""  #: a code; empty when it is done


WorkEvent = WorkAsked | WorkEnded
WORK_EVENTS: Final[tuple[type[Event], ...]] = (WorkAsked, WorkEnded)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of the stream of one piece of work."""

    asked: WorkAsked
    ended: WorkEnded | None = None


def work_stream(work_id: UUID) -> UUID:
    return stream_of(work_id, "work")


def evolve(work: Work | None, event: WorkEvent) -> Work:
    """The work after one more fact."""
    match event:
        case WorkAsked():
            return Work(asked=event)
        case WorkEnded():
            assert work is not None, "work begins with WorkAsked"
            return msgspec.structs.replace(work, ended=event)
        case _:
            assert_never(event)


def ask(
    work: Work | None, *, work_id: UUID, kind: WorkKind, target: str = EVERYTHING, stamp: Stamp
) -> list[WorkEvent]:
    """Have it done.

    Raises:
        AlreadyExists: the id is in use.
        BadField: there is no such target.
    """
    if work is not None:
        raise AlreadyExists("work", work_id)
    _require_target(kind, target)
    return [WorkAsked(work_id=work_id, kind=kind, target=target, occurred_us=stamp.now_us, actor=stamp.actor)]


def end(
    work: Work | None,
    *,
    work_id: UUID,
    outcome: Outcome,
    figures: dict[str, int],
    problem: str,
    stamp: Stamp,
) -> list[WorkEvent]:
    """Note how it ended. The first end that is told is the one that counts."""
    if work is None or work.ended is not None:
        return []
    return [
        WorkEnded(
            work_id=work_id,
            outcome=outcome,
            figures=figures,
            problem=problem,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _require_target(kind: WorkKind, target: str) -> None:
    match kind:
        case "rebuild":
            is_known = target == EVERYTHING or _NAME.fullmatch(target) is not None
        case "charges":
            is_known = target == EVERYTHING or _MONTH.fullmatch(target) is not None
        case "journal":
            is_known = target in JOURNALS
        case "ledger":
            is_known = target == EVERYTHING
        case _:
            assert_never(kind)
    if not is_known:
        raise BadField("target", f"is nothing that {kind} can be of")
