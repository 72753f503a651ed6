"""The deterministic texts: exact numbers of tokens, whatever cuts them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import text, words
from sandbox.tokens import Tokens, default_cache_dir, load

TOKENS = load(default_cache_dir())


def test_every_word_is_one_token(counter: Tokens) -> None:
    """256 different words of one token each, in any company; so counting pieces is counting tokens."""
    assert len(set(words.WORDS)) == 256
    assert counter.count(words.OPENING) == 1
    assert {word: counter.count(word) for word in words.WORDS} == dict.fromkeys(words.WORDS, 1)


@settings(max_examples=50, deadline=None)
@given(seed=st.binary(max_size=20), length=st.integers(min_value=0, max_value=500))
def test_a_text_has_exactly_the_tokens_asked_for(seed: bytes, length: int) -> None:
    """tiktoken counts what was asked for."""
    assert TOKENS.count("".join(text.words(seed, length))) == length


def test_a_longer_text_begins_with_the_shorter() -> None:
    """A limit cuts an answer; it does not change it."""
    assert text.words(b"seed", 50)[:20] == text.words(b"seed", 20)
    assert text.words(b"seed", 20) != text.words(b"other", 20)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.integers(min_value=0, max_value=40))
def test_a_cut_echo_never_exceeds_the_limit(said: str, limit: int) -> None:
    """First tokens of any text: a beginning of it, whole characters, at most the limit."""
    kept = "".join(text.first_tokens(said, limit, TOKENS))
    assert said.startswith(kept)
    assert TOKENS.count(kept) <= limit


def test_a_stop_sequence_cuts_at_its_first_occurrence() -> None:
    """The earliest stop sequence wins and is not part of the answer; a text without one is left alone."""
    pieces = ["one", " two", " three", " two"]
    assert "".join(text.cut_at_stop(pieces, ["three", "wo"]) or ()) == "one t"
    assert text.cut_at_stop(pieces, ["one"]) == []
    assert text.cut_at_stop(pieces, ["four", ""]) is None


@given(st.lists(st.text(min_size=1, max_size=3), max_size=60), st.integers(min_value=1, max_value=80))
def test_grouping_keeps_everything_in_order(pieces: list[str], groups: int) -> None:
    """Chunks hold all pieces, none is empty, and their sizes differ by one at most."""
    chunks = text.grouped(pieces, groups)
    sizes = [size for _, size in chunks]
    assert "".join(chunk for chunk, _ in chunks) == "".join(pieces)
    assert sum(sizes) == len(pieces)
    assert len(chunks) == min(groups, len(pieces))
    assert not sizes or max(sizes) - min(sizes) <= 1
