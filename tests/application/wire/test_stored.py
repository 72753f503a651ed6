"""References to what is kept at a provider."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.wire.stored import stored_references

JSON = st.recursive(
    st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "document", "source": {"type": "file", "file_id": "file-1"}},
        {"type": "input_file", "file_id": "file-1"},
    ],
)
def test_a_file_of_the_operators_account_is_noticed(part: dict[str, Any]) -> None:
    """In the form of each dialect, however deep, and with its name spelled in escapes."""
    request = {"messages": [{"role": "user", "content": [part]}]}
    plain = json.dumps(request)
    escaped = plain.replace("file_id", "file\\u005fid")
    assert stored_references(plain.encode(), request) == ("file_id",)
    assert stored_references(escaped.encode(), json.loads(escaped)) == ("file_id",)


@given(JSON)
def test_nothing_else_is_taken_for_one(value: Any) -> None:
    """A text that speaks of it is none, nor a null."""
    request = {"a": value, "content": 'the "file_id" is text', "b": {"file_id": None}}
    assert stored_references(json.dumps(request).encode(), request) == ()
