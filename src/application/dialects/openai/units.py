"""What requests of all endpoints are counted in, both as an upper bound before and as a figure after.

Tokens are counted as in `domain.ledger.events.Units`: each in exactly one of `input`, `cached_input`, `cache_write` and
`output`. The members that start with one of these names say how many of them were of a dearer or cheaper kind; they
are parts, never to be added. The others are units of their own; a price names those that it charges:

* `images`: images made, one for each that was asked for in a bound.
* `audio_ms`: milliseconds of sound, heard by a transcription or spoken by a speech endpoint.
* `characters`: Unicode code points of the text to be spoken.
* `searches`: search units of a reranker, one query with up to a hundred pieces of documents each.
* `requests`: calls, for a flat fee.
"""

from typing import Final, Literal

import msgspec

from application.wire.answer import AnswerFault
from application.wire.usage import RAW_BYTES_MAX, TOKENS_MAX, Figures, Reading, UsageFlag

UnitSource = Literal[
    "provider",  # from the answer's usage object
    "answer",  # counted in the answer: images, a stated duration
    "request",  # counted in the request: nothing was reported
]


class Used(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counted units of one request."""

    input: int = 0  #: fresh prompt tokens
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0  #: how many of `output` were reasoning
    cache_write_long: int = 0  #: how many of `cache_write` are kept for the longer time
    input_image: int = 0  #: how many of `input` spell images
    input_audio: int = 0  #: how many of `input` spell sound
    output_image: int = 0  #: how many of `output` spell images
    images: int = 0
    image_size: str = ""  #: as it was told, or else asked for
    image_quality: str = ""
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    requests: int = 1
    source: UnitSource = "provider"
    flags: tuple[UsageFlag, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer as read. With a `fault`, `body` is empty and nothing of it is for clients."""

    body: bytes
    used: Used | None  #: what it says that it used; `None`: the bound of the request stands in
    usage_raw: bytes | None = None  #: the provider's own object, if it is not too large to keep
    fault: AnswerFault | None = None


GARBAGE: Final = Answer(body=b"", used=None, fault="garbage")
ERROR_BODY: Final = Answer(body=b"", used=None, fault="error_body")


def used_tokens(reading: Reading, figures: Figures) -> Used:
    """Tokens alone, with the flags that reading them raised."""
    return Used(
        input=figures.fresh,
        cached_input=figures.cached,
        cache_write=figures.written,
        output=figures.output,
        reasoning=figures.reasoning,
        cache_write_long=figures.written_long,
        flags=tuple(reading.flags),
    )


def kept(raw: bytes | None) -> bytes | None:
    """A usage object if it may be stored."""
    return raw if raw is not None and len(raw) <= RAW_BYTES_MAX else None


def milliseconds(seconds: object) -> int | None:
    """Seconds, whole or not, as milliseconds rounded up; `None` for what cannot be a duration."""
    if type(seconds) is int and 0 <= seconds <= TOKENS_MAX // 1000:
        return seconds * 1000
    if type(seconds) is float and 0 <= seconds <= TOKENS_MAX / 1000:
        return -int(-seconds * 1000 // 1)
    return None
