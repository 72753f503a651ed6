"""Which requests are the same."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.idempotent_requests.keyed import is_usable, keyed_request

ONE, TWO = UUID(int=1), UUID(int=2)


@given(body=st.binary(), other=st.binary(), endpoint=st.sampled_from(["chat", "embeddings"]))
def test_another_body_or_endpoint_is_another_request(body: bytes, other: bytes, endpoint: str) -> None:
    """Byte by byte; the key's stream is the same, so that it is noticed."""
    one = keyed_request(b"k", account_id=ONE, endpoint="chat", body=body)
    two = keyed_request(b"k", account_id=ONE, endpoint=endpoint, body=other)
    assert (one.body_sha256 == two.body_sha256) is ((endpoint, other) == ("chat", body))
    assert one.stream_id == two.stream_id


def test_a_key_belongs_to_its_account() -> None:
    """The same key of two accounts is two streams, and neither shows the key."""
    one, two = (keyed_request(b"canary", account_id=who, endpoint="chat", body=b"") for who in (ONE, TWO))
    assert one.stream_id != two.stream_id
    assert "canary" not in repr(one)


@pytest.mark.parametrize(
    ("key", "usable"),
    [(b"a", True), (b"!~", True), (b"x" * 255, True), (b"x" * 256, False), (b"", False), (b"a b", False)]
    + [(bytes([byte]), False) for byte in (0, 9, 10, 32, 127, 128, 255)],
)
def test_a_key_is_short_and_printable(key: bytes, *, usable: bool) -> None:
    """As in the admin API."""
    assert is_usable(key) is usable
