"""What binds a statement to the sealed log: the range of its entries, and the root over all entries up to the last of them.

The root at an entry never changes, so a period that is over has the same seal whenever its statement is made.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from application.reports.statement import StatementLine
from application.sealing.reading import NotSealed, SealBroken, SealedRoot

log = structlog.get_logger()


class StatementSeal(msgspec.Struct, frozen=True, kw_only=True):
    """`tokenok seal consistency` shows that the tree of `size` entries with this root is the beginning of every later one."""

    first_position: int
    last_position: int
    size: int  #: entries of the log up to `last_position`
    root: str  #: over them, in base64


class Roots(Protocol):
    """The sealed log, as far as statements need it. Blocking; see `SealedLog.root_at`."""

    def root_at(self, position: int) -> SealedRoot: ...


def seal_of(lines: Sequence[StatementLine], roots: Roots | None) -> StatementSeal | None:
    """The seal of a statement with all its lines; none where it has none, or the log is not sealed so far."""
    if roots is None or not lines:
        return None
    last = max(line.last_position for line in lines)
    try:
        sealed = roots.root_at(last)
    except NotSealed:
        return None
    except (SealBroken, OSError) as error:
        log.warning("statement_not_sealed", position=last, error=type(error).__name__)
        return None
    return StatementSeal(
        first_position=min(line.first_position for line in lines),
        last_position=last,
        size=sealed.size,
        root=sealed.root,
    )
