"""One commit of groups, whose fate stays known across lost connections. Used by store, recorder and journal."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.pq import ConnStatus
from psycopg.rows import tuple_row

from adapters.eventstore import wire
from application.eventlog import HistoryReplaced, NewEvent, VersionConflict

_READ_BACK: Final = """
    SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id
    FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (id, version)
    JOIN event_log e ON e.originator_id = wanted.id AND e.originator_version = wanted.version"""


Outcome = int | VersionConflict
"""The position of a group's last event, or why the group was refused."""


class Batch:
    """Groups on their way into the log.

    When a connection is lost after something was sent, the fate of the batch is in doubt. Committing again is safe
    then, because every event names the version that it must get: if the first try was stored, or still gets stored
    while it is under way in some buffer, the second stores nothing. What is refused then is read back and compared
    byte by byte: it may be our own. So events must differ between writers, by an id or by their owner.
    """

    def __init__(self, groups: Sequence[Sequence[NewEvent]]) -> None:
        self._groups = groups
        self._events = [event for group in groups for event in group]
        self._group_numbers = [number for number, group in enumerate(groups) for _ in group]
        self._parameters = wire.encode(self._events, self._group_numbers)
        self.in_doubt = False

    def commit(self, connection: psycopg.Connection[Any], *, prepared: bool = False) -> list[Outcome]:
        """Store what fits; one outcome for each group.

        Raises:
            psycopg.Error: nothing is stored, unless `in_doubt` is set: then call again, with another connection.
        """
        try:
            appended = wire.send(connection, self._parameters, prepared=prepared)
            outcomes = self._outcomes(appended)
            if self.in_doubt and appended.misfits:
                self._find_own(connection, outcomes)
        except BaseException:
            self.in_doubt = self.in_doubt or connection.pgconn.status != ConnStatus.OK
            raise
        return outcomes

    def disown(self, connection: psycopg.Connection[Any]) -> list[Outcome]:
        """Store nothing: the groups were decided on another history. Those in doubt may be in this one all the same.

        Raises:
            psycopg.Error: as `commit`; call again.
        """
        outcomes: list[Outcome] = [HistoryReplaced(group[0].stream_id) for group in self._groups]
        if self.in_doubt:
            self._find_own(connection, outcomes)
        return outcomes

    def _outcomes(self, appended: wire.Appended) -> list[Outcome]:
        refused = {
            self._group_numbers[index]: VersionConflict(self._events[index].stream_id)
            for index in appended.misfits
        }
        outcomes: list[Outcome] = []
        last = appended.first_position - 1
        for number, group in enumerate(self._groups):
            if number in refused:
                outcomes.append(refused[number])
            else:
                last += len(group)
                outcomes.append(last)
        return outcomes

    def _find_own(self, connection: psycopg.Connection[Any], outcomes: list[Outcome]) -> None:
        refused = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, VersionConflict)]
        stored = read_back(connection, [event for number in refused for event in self._groups[number]])
        for number in refused:
            positions = [stored.get(event, 0) for event in self._groups[number]]
            if all(positions):
                outcomes[number] = positions[-1]


def read_back(connection: psycopg.Connection[Any], events: Sequence[NewEvent]) -> dict[NewEvent, int]:
    """What the log holds at the places of `events`, and its positions."""
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(
            _READ_BACK, ([event.stream_id for event in events], [event.version for event in events])
        )
        return {
            NewEvent(stream_id, version, topic, bytes(state)): position
            for stream_id, version, topic, state, position in cursor
        }
