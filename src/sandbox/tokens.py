"""True token counts: tiktoken's o200k_base from a vendored vocabulary, never from the network.

Owns the cache of counts. Keys are digests: no prompt is kept in memory after its request.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import tiktoken

from sandbox.lru import Lru

ENCODING: Final = "o200k_base"
_FILE: Final = (
    "fb374d419588a4632f3f557e76b4b70aebbca790"  # sha1 of the vocabulary's address, tiktoken's cache name
)
_SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_COUNTS_MAX: Final = 32_768
SLICE_CHARS: Final = 256 * 1024
"""Longer texts are encoded in slices, each of which may add a token: tiktoken panics on a million blanks."""

PER_MESSAGE: Final = 3
PER_NAME: Final = 1
PER_REPLY: Final = 3
PER_OTHER_PART: Final = 85
"""What an image, audio or file part counts: OpenAI's price of a low-detail image; a flat stand-in for all."""


class NoVocabulary(Exception):
    """The vendored vocabulary is missing or damaged; nothing was downloaded, and nothing was deleted."""


def default_cache_dir() -> Path:
    """Where the source tree keeps the vocabularies, beside this package."""
    return Path(__file__).parents[1] / "adapters" / "tokenizer" / "vocab"


class Tokens:
    """Counts tokens. Safe to use from threads."""

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding
        self._counts: Lru[bytes, int] = Lru(_COUNTS_MAX)

    def count(self, text: str) -> int:
        """Tokens of `text` taken literally: `<|endoftext|>` in it is text, not a control token."""
        data = text.encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(data, digest_size=16).digest()
        found = self._counts.get(key)
        if found is None:
            found = len(self._encoded(text))
            self._counts.put(key, found)
        return found

    def split(self, text: str) -> list[bytes]:
        """The bytes of each token; one may hold a part of a character only."""
        return [self._encoding.decode_single_token_bytes(token) for token in self._encoded(text)]

    def _encoded(self, text: str) -> list[int]:
        if len(text) <= SLICE_CHARS:
            return self._encoding.encode_ordinary(text)
        slices = (text[at : at + SLICE_CHARS] for at in range(0, len(text), SLICE_CHARS))
        return [token for part in slices for token in self._encoding.encode_ordinary(part)]


def load(cache_dir: Path) -> Tokens:
    """Read the vocabulary in tiktoken's cache folder (a fraction of a second to a second; call it from a thread).

    tiktoken would delete a damaged file and fetch another, hence the check first. Sets `TIKTOKEN_CACHE_DIR`, the only
    way to tell tiktoken where to look.

    Raises:
        NoVocabulary: the file is not there, or its SHA-256 is not the pinned one.
    """
    path = cache_dir / _FILE
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise NoVocabulary(f"cannot read the {ENCODING} vocabulary {path}: {error.strerror}") from None
    if digest != _SHA256:
        raise NoVocabulary(f"the {ENCODING} vocabulary {path} is damaged: its SHA-256 is {digest}")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache_dir)
    return Tokens(tiktoken.get_encoding(ENCODING))
