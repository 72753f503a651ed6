"""The sandbox's words: deterministic texts of an exact number of tokens, and how a text is cut into chunks."""

import codecs
import hashlib
from collections.abc import Sequence
from itertools import accumulate, pairwise

from sandbox.tokens import Tokens
from sandbox.words import OPENING, WORDS


def words(seed: bytes, tokens: int) -> list[str]:
    """`tokens` pieces of one token each that depend on `seed` only; a longer text begins with the shorter."""
    if tokens <= 0:
        return []
    return [OPENING, *(WORDS[byte] for byte in hashlib.shake_128(seed).digest(tokens - 1))]


def first_tokens(text: str, tokens_max: int, tokens: Tokens) -> list[str]:
    """The pieces of `text` up to `tokens_max` tokens; never half a character, never more than `tokens_max`."""
    parts = tokens.split(text)
    kept = min(tokens_max, len(parts))
    pieces = _characters(parts[:kept])
    while kept and tokens.count("".join(pieces)) > tokens_max:
        kept -= 1
        pieces = _characters(parts[:kept])
    return pieces


def _characters(parts: Sequence[bytes]) -> list[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    return [piece for piece in map(decoder.decode, parts) if piece]


def cut_at_stop(pieces: list[str], stops: Sequence[str]) -> list[str] | None:
    """The pieces before the earliest stop sequence, or None if no stop sequence occurs."""
    text = "".join(pieces)
    found = [at for at in (text.find(stop) for stop in stops if stop) if at >= 0]
    if not found:
        return None
    end = min(found)
    lengths = accumulate(map(len, pieces), initial=0)
    return [piece[: end - begin] for piece, begin in zip(pieces, lengths, strict=False) if begin < end]


def grouped(pieces: Sequence[str], groups: int | None) -> list[tuple[str, int]]:
    """Join pieces into `groups` chunks (default: one each) of nearly equal size: text and number of pieces."""
    count = len(pieces) if groups is None else min(groups, len(pieces))
    bounds = [len(pieces) * i // count for i in range(count + 1)] if count else []
    return [("".join(pieces[a:b]), b - a) for a, b in pairwise(bounds)]
