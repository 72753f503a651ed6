"""The append as it goes over the wire: five arrays in Postgres' binary format, one call of `tokenok_append`.

It goes past psycopg's cursor and its list dumpers, because this is what a gateway does for every request. CPU us per
event, client / server (PostgreSQL 18, fsync on, 530 B a row, two shared cores; `benchmarks/eventstore.py append`):

| way                                 | batch 1   | 8        | 32        | 128       |
|-------------------------------------|-----------|----------|-----------|-----------|
| this                                | 26 / 122  | 5.3 / 22 | 1.6 / 8.2 | 0.8 / 4.6 |
| two processes at once               | 40 / 136  | 6.0 / 23 | 2.0 / 8.8 | 1.0 / 6.8 |
| not prepared (the store)            | 38 / 148  | 6.0 / 29 | 1.9 / 13  | 0.9 / 5.6 |
| cursor and lists                    | 81 / 138  | 12 / 22  | 3.3 / 8.2 | 1.5 / 4.7 |
| no check: `SELECT FROM unnest`      | 48 / 88   | 7.6 / 17 | 2.4 / 6.5 | 1.1 / 3.8 |
| no check: `SELECT unnest, unnest`   | 47 / 83   | 7.7 / 17 | 2.3 / 7.7 | 1.5 / 5.2 |
| no check: `ON CONFLICT RETURNING`   | 50 / 96   | 6.7 / 17 | 2.5 / 9.2 | 1.2 / 6.7 |
| no check: pipelined statements      | 148 / 126 | 20 / 20  | 5.9 / 8.9 | 2.1 / 5.5 |

The last four go through a cursor with lists. So the check that every stream goes on at its head costs some 30 us a
commit, and none of the alternatives makes it; the fsync alone costs about 50. Having the client name each stream's head
instead of a window over the arrays saved 14 us a commit of one event and nothing that could be told at 32. One function
for single events and another for groups would differ by one `int[]`.
"""

import struct
from collections.abc import Sequence
from struct import Struct, pack, unpack_from
from typing import Any, Final

import msgspec
import psycopg
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from application.eventlog import NewEvent

_SQL: Final = b"SELECT first_position, misfits FROM tokenok_append($1, $2, $3, $4, $5)"
_NAME: Final = b"tokenok_append"
_UUID, _INT8, _TEXT, _BYTEA, _INT4 = 2950, 20, 25, 17, 23
_ARRAY_TYPES: Final = [2951, 1016, 1009, 1001, 1007]
_FORMATS: Final = [Format.BINARY] * 5
_pack_head = Struct("!IIIII").pack  # dimensions, has nulls, type of the elements, their number, lower bound
_pack_length = Struct("!I").pack
UNENCODABLE: Final = (struct.error, UnicodeError, TypeError)
"""What `encode` raises for an event that no log can hold."""
_UUID_LENGTH: Final = _pack_length(16)


class Appended(msgspec.Struct, frozen=True):
    """What one call stored: everything but the groups of the misfits, at positions without a gap."""

    first_position: int  #: 0 when nothing was stored
    misfits: tuple[int, ...]  #: of each refused group, the index of its first event that did not fit


def encode(events: Sequence[NewEvent], group_numbers: Sequence[int]) -> list[bytes]:
    """The five parameters of the append.

    Raises:
        one of `UNENCODABLE`: nothing was sent.
    """
    count = len(events)
    numbers: list[int] = []
    for number in group_numbers:
        numbers += (4, number)
    versions: list[int] = []
    for event in events:
        versions += (8, event.version)
    return [
        _pack_head(1, 0, _UUID, count, 1)
        + b"".join([_UUID_LENGTH + event.stream_id.bytes for event in events]),
        _pack_head(1, 0, _INT8, count, 1) + pack("!" + "Iq" * count, *versions),
        _byte_array(_TEXT, [event.topic.encode() for event in events]),
        _byte_array(_BYTEA, [event.state for event in events]),
        _pack_head(1, 0, _INT4, count, 1) + pack("!" + "Ii" * count, *numbers),
    ]


def _byte_array(element_type: int, values: list[bytes]) -> bytes:
    parts = [_pack_head(1, 0, element_type, len(values), 1)]
    for value in values:
        parts.append(_pack_length(len(value)))
        parts.append(value)
    return b"".join(parts)


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Have the server keep the statement, for a connection that appends often."""
    pgconn = connection.pgconn
    pgconn.send_prepare(_NAME, _SQL, _ARRAY_TYPES)
    _result(connection, ExecStatus.COMMAND_OK)


def send(connection: psycopg.Connection[Any], parameters: list[bytes], *, prepared: bool) -> Appended:
    """Append in one round trip; outside of a transaction it is committed by the time this returns.

    Raises:
        psycopg.Error: nothing was stored, unless the connection is gone afterwards: then nobody knows.
    """
    pgconn = connection.pgconn
    if prepared:
        pgconn.send_query_prepared(_NAME, parameters, _FORMATS, Format.BINARY)
    else:
        pgconn.send_query_params(_SQL, parameters, _ARRAY_TYPES, _FORMATS, Format.BINARY)
    result = _result(connection, ExecStatus.TUPLES_OK)
    position, misfits = result.get_value(0, 0), result.get_value(0, 1)
    return Appended(int.from_bytes(position or b"", "big"), _indexes(misfits) if misfits else ())


def _indexes(numbers: bytes) -> tuple[int, ...]:
    """Element numbers, which count from 1, out of a binary `int[]`."""
    count = unpack_from("!I", numbers, 12)[0]
    return tuple(number - 1 for number in unpack_from("!" + "Ii" * count, numbers, 20)[1::2])


def _result(connection: psycopg.Connection[Any], wanted: ExecStatus) -> PGresult:
    result: PGresult = connection.wait(execute(connection.pgconn))[-1]
    if result.status != wanted:
        raise error_from_result(result, connection.info.encoding)
    return result
