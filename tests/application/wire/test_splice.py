"""Cutting a member out of an object: exact to the byte where it can be, right where it cannot."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.splice import member_of, with_member, with_value, without_member


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (b'{"a":1,"usage":null}', b'{"a":1}'),
        (b'{"usage":null,"a":1}', b'{"a":1}'),
        (b'{"usage":{"x":[1]}}', b"{}"),
        (b'{ "a" : 1.50 ,\n "usage" : { "x" : 1 } , "b" : "\\u00e9" }', b'{ "a" : 1.50  , "b" : "\\u00e9" }'),
        (b'{ "usage" : 1 , "b" : 2 }', b'{ "b" : 2 }'),
        (b'{"a":1}', b'{"a":1}'),
        (b'{"a":"\\"usage\\":1","usage":2}', b'{"a":"\\"usage\\":1"}'),
    ],
)
def test_a_member_is_cut_with_its_comma_and_nothing_else(document: bytes, left: bytes) -> None:
    """All other bytes stay, blanks and escapes too."""
    assert without_member(document, "usage") == left


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (b'{"x":{"usage":1}, "usage":2}', {"x": {"usage": 1}}),
        (b'{"x":["usage"], "usage":2}', {"x": ["usage"]}),
        (b'{"\\u0075sage":1,"a":2}', {"a": 2}),
        (b'{"\\u0075sage":1,"a":"usage"}', {"a": "usage"}),
        (b'{"x\\"usage":1,"usage":2}', {'x"usage': 1}),
        (b'{"a":"\\ud83d","usage":2}', {"a": "\ud83d"}),
    ],
)
def test_where_the_name_is_not_plain_the_top_level_is_written_anew(
    document: bytes, left: dict[str, Any]
) -> None:
    """A name that stands in several places, or is spelled with escapes, or text that only lenient parsers take."""
    assert json.loads(without_member(document, "usage")) == left


@pytest.mark.parametrize(
    ("document", "swapped"),
    [
        (b'{"a":1, "usage" : {"x":1} }', b'{"a":1, "usage" : 7 }'),
        (b'{"usage":1,"b":{"usage":2}}', b'{"usage":7,"b":{"usage":2}}'),
        (b'{"a":1}', b'{"a":1}'),
        (b'{"a":"\\ud83d","usage":2}', b'{"a":"\\ud83d","usage":7}'),
        (b'{"a":"\\ud83d"}', b'{"a":"\\ud83d"}'),
    ],
)
def test_a_value_is_swapped_in_place(document: bytes, swapped: bytes) -> None:
    """The name, and everything around the value, stays where it was."""
    assert with_value(document, "usage", b"7") == swapped


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"\xff", b'{"\xff":1}', b"[" * 3_000])
def test_what_no_parser_takes_stays_as_it_is(document: bytes) -> None:
    """There is no telling what to cut, so nothing is."""
    assert without_member(document, "usage") == (document if document != b"[]" else b"[]")


TEXT = st.text(max_size=10) | st.sampled_from(["usage", '"usage"', ',"usage":null', "\\", '"'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=5), VALUES, st.integers(0, 5), st.booleans(), st.booleans())
def test_any_object_loses_the_member_and_keeps_the_rest(
    members: dict[str, Any], value: Any, place: int, compact: bool, ascii_only: bool
) -> None:
    """Wherever the member stands, however the object is spelled, whatever else looks like it."""
    members.pop("usage", None)
    items = list(members.items())
    items.insert(place, ("usage", value))
    separators = (",", ":") if compact else None
    document = json.dumps(dict(items), separators=separators, ensure_ascii=ascii_only).encode()
    left = without_member(document, "usage")
    assert list(json.loads(left).items()) == list(members.items())
    swapped = json.loads(with_value(document, "usage", b'{"new":1}'))
    assert list(swapped.items()) == [(k, {"new": 1} if k == "usage" else v) for k, v in items]


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (b'{"a":1}', b'{"a":1,"cost":7}'),
        (b'{ "a" : 1 }\n', b'{ "a" : 1 ,"cost":7}\n'),
        (b"{}", b'{"cost":7}'),
        (b'{"cost":1,"a":{"b":2}}', b'{"cost":7,"a":{"b":2}}'),
        (b"[1]", b"[1]"),
        (b'{"a":"\\ud83d"}', b'{"a":"\\ud83d"}'),
    ],
)
def test_a_member_is_put_in_last_or_where_it_was(document: bytes, left: bytes) -> None:
    """All other bytes stay; what is no object to a strict parser stays whole."""
    assert with_member(document, "cost", b"7") == left


@pytest.mark.parametrize(
    ("document", "value"),
    [(b'{"a":1, "b" : {"c": 2} }', b'{"c": 2}'), (b'{"a":{"b":1}}', None), (b"[1]", None), (b"no", None)],
)
def test_a_value_is_read_as_it_stands(document: bytes, value: bytes | None) -> None:
    """Of the top level only."""
    assert member_of(document, "b") == value
