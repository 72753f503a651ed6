"""Gathering text: exact while it is kept, scaled beyond."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.spoken import TEXT_BYTES_MAX, Spoken, SpokenText, parts_text


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=30), st.integers(1, 5))
def test_short_text_is_kept_whole(pieces: list[str], every: int) -> None:
    """However often it is folded."""
    spoken = Spoken()
    for number, piece in enumerate(pieces):
        spoken.add(piece)
        if number % every == 0:
            spoken.fold()
    assert spoken.text() == SpokenText("".join(pieces), len("".join(pieces)))


@pytest.mark.parametrize("letter", ["a", "é", "汉", "😀"])
def test_long_text_is_cut_between_characters(letter: str) -> None:
    """At 32 KiB of UTF-8, whatever its letters take; the length goes on counting."""
    spoken = Spoken()
    for _ in range(50):
        spoken.add(letter * 1_001)
        spoken.fold()
    kept = spoken.text()
    assert kept.chars_total == 50_050
    assert kept.text == letter * len(kept.text)
    assert TEXT_BYTES_MAX - 4 < len(kept.text.encode()) <= TEXT_BYTES_MAX


def test_a_count_is_scaled_by_what_the_text_stands_for() -> None:
    """Rounded up; a whole text gives the count itself."""
    assert SpokenText("abcd", 4).scaled(3) == 3
    assert SpokenText("abcd", 40).scaled(3) == 30
    assert SpokenText("abc", 4).scaled(1) == 2
    assert SpokenText("", 0).scaled(0) == 0


def test_parts_are_read_however_deep() -> None:
    """Thinking in parts in parts, in order; what is no text is none."""
    parts = [
        "a",
        {"type": "thinking", "thinking": [{"text": "b"}, ["c", {"text": "d"}]]},
        {"text": "e"},
        7,
        {"type": "image"},
    ]
    assert parts_text(parts) == "abcde"
