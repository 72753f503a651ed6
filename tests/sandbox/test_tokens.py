"""Counting tokens from the vendored vocabulary, and from nowhere else."""

from pathlib import Path

import pytest
import tiktoken

from sandbox.lru import Lru
from sandbox.tokens import SLICE_CHARS, NoVocabulary, Tokens, default_cache_dir, load

O200K = "fb374d419588a4632f3f557e76b4b70aebbca790"
CL100K = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"


@pytest.mark.parametrize(
    "said",
    ["", "Hello", "tokens, 日本語 and 🤖", "<|endoftext|> is text", " " * 300, "x" * 5_000, "a\ud800b"],
)
def test_counts_are_tiktokens(counter: Tokens, said: str) -> None:
    """Also of control tokens written as text, which tiktoken's `encode` refuses, and again from the cache."""
    expected = len(tiktoken.get_encoding("o200k_base").encode_ordinary(said))
    assert [counter.count(said), counter.count(said)] == [expected, expected]
    assert len(counter.split(said)) == expected


def test_a_million_blanks_are_counted(counter: Tokens) -> None:
    """tiktoken panics on them in one piece; the sandbox must outlive such a prompt."""
    assert 0 < counter.count(" " * (4 * SLICE_CHARS)) < SLICE_CHARS


def test_a_damaged_vocabulary_is_named_and_left_alone(tmp_path: Path) -> None:
    """tiktoken would delete the file and download another."""
    path = tmp_path / O200K
    path.write_bytes(b"IQ== 0\n")
    with pytest.raises(NoVocabulary, match="damaged"):
        load(tmp_path)
    assert path.read_bytes() == b"IQ== 0\n"


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    """The message says which file; nothing is fetched into the folder."""
    with pytest.raises(NoVocabulary, match=O200K):
        load(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_both_vocabularies_are_in_the_tree() -> None:
    """The gateway's counter needs cl100k_base as well."""
    assert {O200K, CL100K} <= {path.name for path in default_cache_dir().iterdir()}


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    """Never more than two generations; an entry that is asked for survives the change of generations."""
    cache: Lru[int, int] = Lru(10)
    for number in range(1, 1_000):
        cache.put(number, number)
        assert cache.get(1) == 1
        assert len(cache) <= 20
    assert cache.get(2) is None
