"""The most that a request can cost, in tokens, before anything was sent: what a hold is made of.

The prompt. A byte-level BPE token covers at least one byte of the text, and text is never longer than the JSON that
spells it, so the bytes of the body bound the tokens of everything in it: messages, tools, schemas. On top of them come
what the provider's chat template wraps around each message, and a flat allowance for what it adds by itself. Images and
clips are left out of the bytes and bounded by a figure per piece; where a piece has no figure, for files and videos, and
where the provider is asked to search or fetch by itself, the whole context is taken. No prompt is larger than that.

Not covered, and for the operator to allow for in `ModelLimits`: models that search unasked, and tokenizers that
normalise text into longer text first.

The answer. `max_tokens` for each of `n` choices, which the gateway always sends; predicted tokens that the model
rejects are billed on top, so a prediction adds its bytes.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from application.wire.head import ChatHead

TOKENS_PER_MESSAGE: Final = 16
"""Role, separators and channel names of known chat templates take 3 to 10."""
TOKENS_PER_REQUEST: Final = 1_024
"""Hidden preambles. The longest recorded are those of Grok 4 (680 tokens for three words) and of Llama 4 with tools (650)."""


class ModelLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model. `None`: no figure, so the context stands in."""

    context_tokens: int  #: prompt and answer together
    output_tokens_max: int
    image_tokens_max: int | None = None  #: of one image, at any size and detail
    audio_tokens_max: int | None = None  #: of one clip, at any length that is accepted
    request_tokens: int = TOKENS_PER_REQUEST  #: what the provider adds to every prompt


class Bound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Upper bounds of one request."""

    prompt_tokens: int
    answer_tokens: int  #: of one choice: the `max_tokens` to send
    output_tokens: int  #: of all choices, and of a prediction
    images: int = 0
    image_size: str = ""  #: of the row of the price by which they cost most
    image_quality: str = ""
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    several: bool = False  #: the prompt is of several texts, each with the whole context for itself


def widest_limits(some: Sequence[ModelLimits]) -> ModelLimits:
    """What the widest of them could do, in each respect."""
    if len(some) == 1:
        return some[0]
    return ModelLimits(
        context_tokens=max(one.context_tokens for one in some),
        output_tokens_max=max(one.output_tokens_max for one in some),
        image_tokens_max=_widest([one.image_tokens_max for one in some]),
        audio_tokens_max=_widest([one.audio_tokens_max for one in some]),
        request_tokens=max(one.request_tokens for one in some),
    )


def bound_of(head: ChatHead, limits: ModelLimits) -> Bound:
    """The worst case of `head` on a model. A client's own bound above the model's is cut to it."""
    wanted = head.output_limit
    most = limits.output_tokens_max
    answer_tokens = most if wanted is None or wanted > most else wanted
    output_tokens = answer_tokens * head.n
    if head.has_prediction:
        output_tokens += head.body_bytes
    return Bound(
        prompt_tokens=prompt_bound(head, limits), answer_tokens=answer_tokens, output_tokens=output_tokens
    )


def prompt_bound(head: ChatHead, limits: ModelLimits) -> int:
    """The most tokens that the prompt of `head` can have."""
    content = head.content
    tokens = (
        head.body_bytes - content.inline_bytes + TOKENS_PER_MESSAGE * content.messages + limits.request_tokens
    )
    if head.provider_tools:
        return limits.context_tokens
    if content.images or content.audios or content.opaque:
        if content.opaque or _unknown(content.images, limits.image_tokens_max):
            return limits.context_tokens
        if _unknown(content.audios, limits.audio_tokens_max):
            return limits.context_tokens
        tokens += content.images * (limits.image_tokens_max or 0) + content.audios * (
            limits.audio_tokens_max or 0
        )
    return min(tokens, limits.context_tokens)


def _unknown(pieces: int, tokens_max: int | None) -> bool:
    return pieces > 0 and tokens_max is None


def _widest(figures: Sequence[int | None]) -> int | None:
    """None where any has no figure."""
    known = [one for one in figures if one is not None]
    return max(known) if len(known) == len(figures) else None
