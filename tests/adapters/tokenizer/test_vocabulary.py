"""Vendored vocabularies: the same encodings as tiktoken's own, and never anything but the pinned files."""

from pathlib import Path

import pytest
import tiktoken_ext.openai_public as published  # type: ignore[import-untyped]  # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import Encoding

from adapters.tokenizer.vocabulary import VOCABULARIES, EncodingName, NoVocabulary, load_encoding

NAMES: tuple[EncodingName, ...] = ("o200k_base", "cl100k_base")


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Encoding, Encoding]]:
    """Each encoding as we build it and as tiktoken builds it, offline from the same files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(VOCABULARIES))
        return [(load_encoding(name), Encoding(**published.ENCODING_CONSTRUCTORS[name]())) for name in NAMES]


def test_patterns_and_ranks_are_the_published_ones(pairs: list[tuple[Encoding, Encoding]]) -> None:
    """A new tiktoken that splits text otherwise shows up here."""
    for ours, theirs in pairs:
        assert ours._pat_str == theirs._pat_str
        assert ours._mergeable_ranks == theirs._mergeable_ranks


@settings(deadline=None)
@given(st.text(max_size=200))
def test_text_is_encoded_alike(pairs: list[tuple[Encoding, Encoding]], text: str) -> None:
    """Token by token."""
    for ours, theirs in pairs:
        assert ours.encode_ordinary(text) == theirs.encode_ordinary(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Nothing is downloaded for it."""
    with pytest.raises(NoVocabulary, match=r"o200k_base vocabulary fb37.*: No such file"):
        load_encoding("o200k_base", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """tiktoken's own loader would delete it and fetch another."""
    damaged = tmp_path / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    damaged.write_bytes(b"IQ== 0\n")
    with pytest.raises(NoVocabulary, match="damaged"):
        load_encoding("cl100k_base", tmp_path)
    assert damaged.read_bytes() == b"IQ== 0\n"
