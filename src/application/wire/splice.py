"""Takes one top-level member out of a JSON object, puts one in or swaps its value, and leaves every other byte as it was."""

import json
import re
from typing import Final

import msgspec

from application.wire.chunk import NOT_JSON

_Members = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder(_Members).decode
_encode: Final = msgspec.json.Encoder().encode
_COLON: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")
_BLANKS: Final = b" \t\r\n"
_COMMA: Final = ord(",")
_COMMA_AFTER: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")


def without_member(document: bytes, name: str) -> bytes:
    """`document`, a JSON object, without its top-level member `name`. Never raises.

    Exact to the byte where the name is spelled once and plainly; else the top level is written anew, without blanks.
    """
    try:
        members = _decode(document)
    except NOT_JSON:
        return _leniently(document, name, None)
    value = members.pop(name, None)
    if value is None:
        return document
    span = _span(document, name, bytes(value))
    if span is None:
        return _encode(members)
    start, end = span
    before = start
    while document[before - 1] in _BLANKS:
        before -= 1
    if document[before - 1] == _COMMA:
        return document[: before - 1] + document[end:]
    after = _COMMA_AFTER.match(document, end)
    return document[:start] + document[after.end() if after else end :]


def with_value(document: bytes, name: str, value: bytes) -> bytes:
    """`document` with another value for its top-level member `name`; unchanged if it has none. Never raises."""
    try:
        members = _decode(document)
    except NOT_JSON:
        return _leniently(document, name, value)
    old = members.get(name)
    if old is None:
        return document
    span = _span(document, name, bytes(old))
    if span is None:
        members[name] = msgspec.Raw(value)
        return _encode(members)
    end = span[1]
    return document[: end - len(bytes(old))] + value + document[end:]


def with_member(document: bytes, name: str, value: bytes) -> bytes:
    """As `with_value`, but put in as the last member where `document` has none. Unchanged if it is no JSON object."""
    try:
        members = _decode(document)
    except NOT_JSON:
        return document
    if name in members:
        return with_value(document, name, value)
    end = document.rindex(b"}")
    comma = b"," if members else b""
    return document[:end] + comma + b'"%b":' % name.encode() + value + document[end:]


def member_of(document: bytes, name: str) -> bytes | None:
    """The bytes of a top-level member's value; none if there is no such member. Never raises."""
    try:
        value = _decode(document).get(name)
    except NOT_JSON:
        return None
    return None if value is None else bytes(value)


def _leniently(document: bytes, name: str, value: bytes | None) -> bytes:
    """The same for a document that only a lenient parser takes; unchanged if none does, for there is no telling."""
    try:
        members = json.loads(document)
    except (ValueError, RecursionError):
        return document
    if name in members:
        del members[name]
        if value is not None:
            members[name] = json.loads(value)
    return json.dumps(members, separators=(",", ":")).encode()


def _span(document: bytes, name: str, value: bytes) -> tuple[int, int] | None:
    """Where the member is, if its quoted name stands in the document exactly once.

    A quote inside a string is escaped, so the quoted name is no piece of a longer text but for one that ends in an
    escaped quote and the name; as the object has the member as well, that is a second place, and nothing is cut.
    """
    quoted = b'"%b"' % name.encode()
    start = document.find(quoted)
    if start < 0 or document.find(quoted, start + 1) >= 0:
        return None
    colon = _COLON.match(document, start + len(quoted))
    if colon is None or not document.startswith(value, colon.end()):
        return None
    return start, colon.end() + len(value)
