"""What Gemini says that a request used.

`promptTokenCount` includes cached tokens; what provider-side tools added to the prompt (`toolUsePromptTokenCount`) and the
thoughts stand beside prompt and candidates. Figures that are zero may be left out, as protobuf does: the total tells a
zero from a figure that is missing.
"""

from typing import Final

from application.dialects.port import Json
from application.wire.usage import UNUSABLE, Figures, Reading

_TOTAL: Final = "totalTokenCount"


def figures(reading: Reading) -> Figures:
    """The tokens of a `usageMetadata`; flags say what is missing or cannot be."""
    tools = reading.first(("toolUsePromptTokenCount",))
    thoughts = reading.first(("thoughtsTokenCount",))
    cached = reading.first(("cachedContentTokenCount",))
    prompt, spoken = _sides(reading, tools + thoughts)
    if cached > prompt:
        reading.flag("cached_over_prompt")
        reading.flag("clamped")
        cached = prompt
    return Figures(
        fresh=prompt - cached + tools, cached=cached, written=0, output=spoken + thoughts, reasoning=thoughts
    )


def embedding_figures(reading: Reading) -> Figures:
    """The same of an answer that is vectors: only its prompt counts."""
    prompt = reading.needed("promptTokenCount", "input_missing")
    return Figures(fresh=prompt, cached=0, written=0, output=0, reasoning=0)


def _sides(reading: Reading, beside: int) -> tuple[int, int]:
    """Prompt and candidates; `beside` are the tokens that the total has and these two have not."""
    prompt = reading.figure("promptTokenCount")
    spoken = reading.figure("candidatesTokenCount")
    total = reading.figure(_TOTAL)
    told = total is not None and total != UNUSABLE
    if prompt is None and spoken is not None and spoken >= 0 and told:
        prompt = _rest(reading, total, spoken + beside)
    if spoken is None and prompt is not None and prompt >= 0 and told:
        spoken = _rest(reading, total, prompt + beside)
    if prompt is None or prompt < 0:
        reading.flag("input_missing")
        prompt = 0
    if spoken is None or spoken < 0:
        reading.flag("output_missing")
        spoken = 0
    if told and not reading.incomplete and total != prompt + spoken + beside:
        reading.flag("total_mismatch")
    return prompt, spoken


def _rest(reading: Reading, total: int | None, known: int) -> int:
    """What the total leaves for the one figure that was left out."""
    rest = (total or 0) - known
    if rest < 0:
        reading.flag("total_mismatch")
    return max(rest, 0)


def chat_usage(usage: Json) -> Json:
    """The usage object of a chat completion, made from the same figures that are charged."""
    read = figures(Reading(usage))
    prompt = read.fresh + read.cached + read.written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": read.output,
        "total_tokens": prompt + read.output,
        "prompt_tokens_details": {"cached_tokens": read.cached, "cache_write_tokens": read.written},
        "completion_tokens_details": {"reasoning_tokens": read.reasoning},
    }
