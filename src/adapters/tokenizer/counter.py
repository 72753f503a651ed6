"""The token counter of the gateway, for what an upstream does not report.

Owns the choice of an encoding for a model and the limits that keep hostile text from costing more than it should:
tiktoken panics on a megabyte of blanks and is slow on long runs of one letter, so text goes in by slices.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import tiktoken

from adapters.tokenizer.vocabulary import VOCABULARIES, EncodingName, load_encoding
from application.wire.prompt import PromptText

TEXT_CHARS_MAX: Final = 1_000_000
"""So much of a text is counted; the rest is taken to be alike."""
_SLICE_CHARS: Final = 16 * 1024

_CL100K_PREFIXES: Final = ("gpt-4-", "gpt-3.5", "gpt-35")


class TiktokenCounter:
    """Implements `application.wire.tokens.TokenCounter`. Vocabularies load with the first count that needs them.

    Raises (from every method):
        NoVocabulary: a vendored file is missing or damaged.
    """

    def __init__(self, folder: Path = VOCABULARIES) -> None:
        self._folder = folder
        self._encodings: dict[EncodingName, tiktoken.Encoding] = {}
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load the usual vocabulary now, at start-up."""
        self._encoding("o200k_base")

    def count_text(self, text: str, *, model: str = "") -> int:
        return _count(self._encoding(encoding_of(model)).encode_ordinary, text)

    def count_prompt(self, prompt: PromptText, *, model: str = "") -> int:
        encode = self._encoding(encoding_of(model)).encode_ordinary
        chars = sum(len(text) for text in prompt.texts)
        if chars > TEXT_CHARS_MAX:
            return prompt.template_tokens + _count(encode, "\n".join(prompt.texts))
        return prompt.template_tokens + sum(_count(encode, text) for text in prompt.texts)

    def _encoding(self, name: EncodingName) -> tiktoken.Encoding:
        encoding = self._encodings.get(name)
        if encoding is None:
            with self._loading:
                encoding = self._encodings.get(name) or load_encoding(name, self._folder)
                self._encodings[name] = encoding
        return encoding


def encoding_of(model: str) -> EncodingName:
    """The vocabulary of an OpenAI model; the newer one stands in for everybody else's."""
    name = model.rpartition("/")[2].removeprefix("ft:")
    if name.partition(":")[0] == "gpt-4" or name.startswith(_CL100K_PREFIXES):
        return "cl100k_base"
    return "o200k_base"


def _count(encode: Callable[[str], list[int]], text: str) -> int:
    """Tokens of `text`; a slice's edge can split one token in two, once in 16,384 characters."""
    if len(text) <= _SLICE_CHARS:
        return len(encode(text))
    counted = min(len(text), TEXT_CHARS_MAX)
    tokens = sum(
        len(encode(text[start : min(start + _SLICE_CHARS, counted)]))
        for start in range(0, counted, _SLICE_CHARS)
    )
    return -(-tokens * len(text) // counted)
