"""Reads and writes JSON of any quality without ever raising, and changes single members of it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from application.wire.chunk import NOT_JSON, loose_object

Json = dict[str, Any]
_T = TypeVar("_T")
_Members = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder().decode
_decode_members: Final = msgspec.json.Decoder(_Members).decode
_encode: Final = msgspec.json.Encoder().encode


def parsed(document: bytes) -> Json | None:
    """The object that `document` is, read strictly, else leniently; `None` if it is none. All of it can be written."""
    try:
        value = _decode(document)
    except NOT_JSON:
        return _loose(document)
    return value if isinstance(value, dict) else None


def _loose(document: bytes) -> Json | None:
    """What a lenient parser makes of it, in characters that can be written again."""
    members = loose_object(document)
    if members is None:
        return None
    with suppress(ValueError, RecursionError):
        members = json.loads(json.dumps(members, ensure_ascii=False).encode("utf-8", "replace"))
    return members


def decoded(document: bytes, decode: Callable[[bytes], _T]) -> _T | None:
    """What `decode` makes of the object, or of what a lenient parser makes of it; `None` if it is none."""
    for reading in _readings(document):
        with suppress(*NOT_JSON):
            return decode(reading)
    return None


def _readings(document: bytes) -> Iterator[bytes]:
    yield document
    members = parsed(document)
    if members is not None:
        yield written(members)


def written(value: object) -> bytes:
    """`value` as JSON; half of a character pair, which is no UTF-8, becomes a question mark, and what is too deep null."""
    try:
        return _encode(value)
    except RecursionError:
        return b"null"
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError, ValueError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def patched(body: bytes, members: Mapping[str, object], *, without: Iterable[str] = ()) -> bytes:
    """A request with other top-level members; every other value keeps its bytes.

    `body` must have passed `application.wire.head.parse_object`; anything else raises a `msgspec.DecodeError`.
    """
    document = _decode_members(body)
    for name in without:
        document.pop(name, None)
    for name, value in members.items():
        document[name] = msgspec.Raw(written(value))
    return _encode(document)


def object_in(value: Json, name: str) -> Json:
    """The object at `name`, an empty one if something else is there."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def objects_in(value: Json, name: str) -> list[Json]:
    """The objects in the list at `name`."""
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_in(value: Json, name: str) -> str:
    """The string at `name`, an empty one if something else is there."""
    found = value.get(name)
    return found if isinstance(found, str) else ""
