"""Loads encodings from the vocabularies in the folder `vocab`: never from the network, never by the environment.

Owns the check of the files (tiktoken's own loader deletes a damaged one and fetches another) and the patterns that split
text before it is encoded; a pattern belongs to its vocabulary and comes from the same source (`vocab/README.md`).
"""

import base64
import hashlib
from pathlib import Path
from typing import Final, Literal

import msgspec
import tiktoken

EncodingName = Literal["o200k_base", "cl100k_base"]
VOCABULARIES: Final = Path(__file__).parent / "vocab"


class NoVocabulary(Exception):
    """A vendored vocabulary is missing or damaged; nothing was downloaded and nothing deleted."""


class _Source(msgspec.Struct, frozen=True):
    file: str  #: SHA-1 of the vocabulary's address, the name in tiktoken's cache
    sha256: str
    pattern: str


_SOURCES: Final[dict[EncodingName, _Source]] = {
    "o200k_base": _Source(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    ),
    "cl100k_base": _Source(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
}


def load_encoding(name: EncodingName, folder: Path = VOCABULARIES) -> tiktoken.Encoding:
    """Read a vocabulary and build its encoding: some hundred milliseconds, so call it from a thread.

    The encoding has no control tokens: all text is text.

    Raises:
        NoVocabulary: the file is not there, or is not the pinned one.
    """
    source = _SOURCES[name]
    path = folder / source.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NoVocabulary(f"cannot read the {name} vocabulary {source.file}: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise NoVocabulary(
            f"the {name} vocabulary {source.file} is damaged: its SHA-256 is not the pinned one"
        )
    ranks: dict[bytes, int] = {}
    for line in content.splitlines():
        token, _, rank = line.partition(b" ")
        ranks[base64.b64decode(token)] = int(rank)
    return tiktoken.Encoding(name, pat_str=source.pattern, mergeable_ranks=ranks, special_tokens={})
