"""One conversation, one draw."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from application.routing.affinity import draw_of


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_the_same_conversation_of_an_account_has_the_same_draw(account: bytes, conversation: bytes) -> None:
    """In every process, and always within the range."""
    assert 0 <= draw_of(account, conversation) < 1
    assert draw_of(account, conversation) == draw_of(account, conversation)


def test_draws_are_spread_evenly() -> None:
    """A tenth of 10,000 conversations falls into each tenth, give or take a fifth of it."""
    tenths = Counter(int(draw_of(b"account", b"%d" % number) * 10) for number in range(10_000))
    assert len(tenths) == 10
    assert all(800 < count < 1200 for count in tenths.values())


def test_two_accounts_do_not_share_draws() -> None:
    """The same words of two customers say nothing of each other."""
    assert draw_of(b"one", b"hello") != draw_of(b"two", b"hello")
