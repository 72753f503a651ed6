"""Local token counts: right for plain text, never an exception, never slow, whatever the text."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.tokenizer.counter import TEXT_CHARS_MAX, TiktokenCounter, encoding_of
from adapters.tokenizer.vocabulary import NoVocabulary
from application.wire.prompt import prompt_text
from application.wire.tokens import TokenCounter


@pytest.fixture(scope="module")
def counter() -> TiktokenCounter:
    return TiktokenCounter()


def test_it_is_a_token_counter(counter: TiktokenCounter) -> None:
    """The port's shape."""
    port: TokenCounter = counter
    assert port.count_text("") == 0


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [("hello world", 2, 2), ("", 0, 0), ("<|endoftext|>", 7, 7), ("\ud800x", 2, 2), ("汉字", 2, 3)],
)
def test_text_is_counted_by_the_models_vocabulary(
    counter: TiktokenCounter, text: str, o200k: int, cl100k: int
) -> None:
    """Control tokens in it are plain text, half a surrogate pair is a character that cannot be shown."""
    assert counter.count_text(text) == o200k
    assert counter.count_text(text, model="gpt-4") == cl100k


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("", "o200k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("gpt-4.1", "o200k_base"),
        ("gpt-5.6-sol", "o200k_base"),
        ("claude-sonnet-5-5", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("openai/gpt-3.5-turbo", "cl100k_base"),
        ("gpt-35-turbo-16k", "cl100k_base"),
        ("ft:gpt-4:acme::1", "cl100k_base"),
        ("ft:gpt-4o-2024:acme", "o200k_base"),
    ],
)
def test_a_model_has_a_vocabulary(model: str, encoding: str) -> None:
    """OpenAI's older models have the older one, everybody else the newer."""
    assert encoding_of(model) == encoding


def count(counter: TiktokenCounter, body: str) -> int:
    prompt = prompt_text(body.encode())
    assert prompt is not None
    return counter.count_prompt(prompt)


def test_messages_are_counted_with_their_template(counter: TiktokenCounter) -> None:
    """The published example: three tokens a message and three for the answer, beside roles and texts."""
    body = json.dumps(
        {"messages": [{"role": "user", "content": "hello world"}, {"role": "assistant", "content": "hi"}]}
    )
    assert count(counter, body) == 3 + 2 * 3 + 1 + 2 + 1 + 1


@pytest.mark.parametrize(
    "text", [" ", "\n", "\u3000", "a", ".", "\u200b", "\r\n\t ", "汉", "e\u0301", "<|endoftext|>"]
)
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
def test_hostile_text_is_counted(counter: TiktokenCounter, text: str, model: str) -> None:
    """A megabyte of blanks makes the library panic with an exception that `except Exception` does not catch."""
    whole = text * (TEXT_CHARS_MAX // len(text))
    assert 0 < counter.count_text(whole, model=model) <= len(whole.encode())


def test_text_beyond_the_limit_is_taken_to_be_alike(counter: TiktokenCounter) -> None:
    """Three times the text, three times the tokens, at the cost of one."""
    text = "hello world " * (TEXT_CHARS_MAX // 12 + 1)
    once = counter.count_text(text[:TEXT_CHARS_MAX])
    assert counter.count_text(text[:TEXT_CHARS_MAX] * 3) == pytest.approx(3 * once, rel=1e-4)


def test_a_huge_prompt_is_bounded_as_a_whole(counter: TiktokenCounter) -> None:
    """Many messages cost no more than one of their size."""
    messages = [{"role": "user", "content": "hello world " * 10_000}] * 20
    assert count(counter, json.dumps({"messages": messages})) == pytest.approx(20 * 10_000 * 2, rel=0.01)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_token_covers_at_least_one_byte(counter: TiktokenCounter, text: str) -> None:
    """What the bound of a prompt rests on."""
    for model in ("gpt-4o", "gpt-4"):
        assert counter.count_text(text, model=model) <= len(text.encode("utf-8", "replace"))


def test_slices_change_a_count_by_their_edges_only(counter: TiktokenCounter) -> None:
    """One token at most for each edge, every 16,384 characters."""
    words = "The quick brown fox, 1234567 times: naïve café 汉字! " * 1_000
    encode = counter._encoding("o200k_base").encode_ordinary
    assert abs(counter.count_text(words) - len(encode(words))) <= len(words) // (16 * 1024)


def test_threads_share_one_vocabulary() -> None:
    """Loaded once, however many ask first."""
    counter = TiktokenCounter()
    threads = [threading.Thread(target=counter.load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counter._encodings) == ["o200k_base"]


def test_without_its_vocabulary_it_says_so(tmp_path: Path) -> None:
    """And does not fetch one."""
    with pytest.raises(NoVocabulary):
        TiktokenCounter(tmp_path).load()
