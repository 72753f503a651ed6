"""What the ledger keeps of a provider's usage object: its figures under known names, and nothing that could be text.

An event is kept for ever and holds no prompt, so nothing passes that an upstream could write one into: strings go, and
so do names with a word that no provider's usage has. Lists pass for the objects in them.
"""

import re
from typing import Any, Final

import msgspec

RECORD_CHARS_MAX: Final = 2_048
MEMBERS_MAX: Final = 96
DEPTH_MAX: Final = 4
NAME_CHARS_MAX: Final = 64
FIGURE_MAX: Final = 2**63 - 1

_WORDS: Final = frozenset(
    """
    1h 5m 12h 24h 30m accepted audio by byok cache cached calls candidates character characters code completion
    completions compaction content context cost count creation creations credits details discount document duration
    ephemeral executed fee fetch file fresh generation geo hit image images in inference input inputs interpreter is
    iterations long mcp miss modality n new num number of on out output outputs per prediction predictions price prompt
    queries queue read reads reasoning regular rejected request requested requests responses retrieval rounds search
    searches second seconds server service short side source sources spent storage stored system text thinking thought
    thoughts ticks tier time token tokens tool tools total traffic turn turns units upstream usage usd use used video
    web write writes x
    """.split()  # noqa: SIM905  a hundred words in quotes read worse
)  # fmt: skip
"""Every word of the names in recorded usage objects, and what new names would be made of."""

_COMMON: Final = frozenset(
    {
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "cached_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "accepted_prediction_tokens",
        "rejected_prediction_tokens",
        "cache_write_tokens",
    }
)
"""Names of nearly every answer, known without being taken apart."""

_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+")
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_]*")
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_NOTHING: Final = object()


class _Room:
    """How many members may still be kept."""

    __slots__ = ("members",)

    def __init__(self) -> None:
        self.members = MEMBERS_MAX


def usage_record(raw: bytes) -> str | None:
    """The record of a usage object as the provider wrote it; none if nothing of it can be kept. Never raises."""
    if not raw:
        return None
    try:
        usage = _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    kept = _figures(usage, _Room(), DEPTH_MAX) if type(usage) is dict else None
    if not kept:
        return None
    record = _encode(kept).decode()
    return record if len(record) <= RECORD_CHARS_MAX else None


def _figures(members: dict[str, Any], room: _Room, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in members.items():
        if room.members <= 0:
            break
        if name in _COMMON or _is_known(name):
            room.members -= 1
            figure = _kept(value, room, depth)
            if figure is not _NOTHING:
                kept[name] = figure
    return kept


def _kept(value: Any, room: _Room, depth: int) -> Any:
    kind = type(value)
    if kind is int:
        return value if -FIGURE_MAX <= value <= FIGURE_MAX else _NOTHING
    if value is None or kind is bool or kind is float:
        return value
    if depth <= 1 or room.members <= 0:
        return _NOTHING
    if kind is dict:
        return _figures(value, room, depth - 1)
    if kind is list:
        figures = [_figures(one, room, depth - 1) for one in value[:MEMBERS_MAX] if type(one) is dict]
        return figures or _NOTHING
    return _NOTHING


def _is_known(name: str) -> bool:
    if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
        return False
    words = _WORD.findall(name)
    return "".join(words) == name.replace("_", "") and all(word.lower() in _WORDS for word in words)
