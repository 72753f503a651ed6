"""The log as exports read it: one event after the other up to a position, one batch in memory."""

from collections.abc import Iterator
from typing import Final

from application.eventlog import LogUnavailable, RecordedEvent
from application.exporting.ports import ExportRefused
from application.projections import ReadableLog

BATCH_EVENTS: Final = 5_000


def end_of(log: ReadableLog, until_position: int | None) -> int:
    """Where an export ends: at `until_position`, or at what is the end of the log now.

    Raises:
        ExportRefused: the log does not reach that far yet, so the same export would differ later.
    """
    head_position = log.head_position()
    if until_position is None:
        return head_position
    if not 0 <= until_position <= head_position:
        raise ExportRefused(f"position {until_position} is not within the log, which ends at {head_position}")
    return until_position


def events_until(
    log: ReadableLog, end_position: int, *, batch_events: int = BATCH_EVENTS
) -> Iterator[RecordedEvent]:
    """The events up to a position that the log has reached.

    Raises:
        LogUnavailable: the log cannot be read, or ends too early.
    """
    position = 0
    while position < end_position:
        batch = log.read_log(after_position=position, limit=batch_events)
        if not batch:
            raise LogUnavailable(f"the log ends at {position}, but its head was {end_position}")
        for event in batch:
            if event.position > end_position:
                return
            yield event
        position = batch[-1].position
