"""Answers `/v1/messages/count_tokens` where the provider has no such endpoint: a local estimate."""

from typing import Final

from application.dialects.anthropic.surface.encode import encoded
from application.dialects.anthropic.surface.pieces import read_content
from application.dialects.anthropic.surface.prompt import prompt_in
from application.dialects.port import Json
from application.wire.tokens import TokenCounter

IMAGE_TOKENS: Final = 1_600
"""What Anthropic documents for an image at its full size. Most are smaller; documents are not estimated."""


def estimate_tokens(request: Json, counter: TokenCounter, *, model: str = "") -> int:
    """The tokens of the prompt, as a published vocabulary has them and not the provider's own.

    `request` has passed `parse_count`. Blocking, as the counter is: call it from a thread.
    """
    images = read_content(request).images
    return counter.count_prompt(prompt_in(request), model=model) + images * IMAGE_TOKENS


def count_answer(tokens: int) -> bytes:
    """The answer's body."""
    return encoded({"input_tokens": tokens})
