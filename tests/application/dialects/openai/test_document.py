"""Reading and writing JSON of any quality."""

import sys
from typing import Any

from application.dialects.openai.document import parsed, patched, written


def test_what_is_nested_too_deep_to_write_is_null() -> None:
    """Nothing raises."""
    deep: list[Any] = []
    for _ in range(2 * sys.getrecursionlimit()):
        deep = [deep]
    assert written(deep) == b"null"


def test_half_of_a_character_pair_is_written_as_a_question_mark() -> None:
    """Bytes for a client are always UTF-8."""
    assert written({"a": "x\ud800"}) == b'{"a":"x?"}'


def test_a_lenient_parser_takes_what_a_strict_one_does_not() -> None:
    """Only an object is one."""
    assert parsed(b'{"a":"\\ud800"}') == {"a": "?"}
    assert parsed(b"[1]") is None
    assert parsed(b"{") is None


def test_members_that_are_not_patched_keep_their_bytes() -> None:
    """Numbers and escapes as the client spelled them."""
    body = rb'{"a":1.0e0, "b":"\u00e9","c":1}'
    assert patched(body, {"c": 2, "d": None}, without=("x",)) == rb'{"a":1.0e0,"b":"\u00e9","c":2,"d":null}'
