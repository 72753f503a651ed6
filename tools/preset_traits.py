"""Which traits the models of the facts have, in the words of their provider's own dialect; for `tools.gen_presets`."""

import re
from collections.abc import Iterator
from typing import Any

from application.dialects.anthropic.upstream import traits as anthropic
from application.dialects.gemini import traits as gemini


def traits_of(provider: str, kind: str, model: dict[str, Any]) -> list[str]:
    """The traits of a model at its provider's first endpoint."""
    if provider == "anthropic":
        return sorted(anthropic.traits_of(model["id"]))
    if provider == "gemini":
        return sorted(set(_gemini(kind, model)))
    return []


def _gemini(kind: str, model: dict[str, Any]) -> Iterator[str]:
    name, can = model["id"], set(model["capabilities"])
    if kind == "embedding":
        if name.startswith("gemini-embedding-2"):
            yield gemini.EMBEDS_ONE
        return
    if kind == "image":
        if name.startswith("imagen-"):
            return  # not asked in this dialect
        yield gemini.IMAGE_OUTPUT
    if set(model["price"].get("service_tiers") or ()) & {"flex", "priority"}:
        yield gemini.SERVICE_TIER
    if "gemma" in name or name.startswith(("gemini-exp-", "learnlm-")):
        yield gemini.SCHEMA_SUBSET
        if "system_messages" not in can:
            yield gemini.NO_SYSTEM
        return
    yield from _by_generation(name, can, set(model["not"]))


def _by_generation(name: str, can: set[str], cannot: set[str]) -> Iterator[str]:
    generation = _generation(name)
    if generation is None:
        return
    if generation >= (2, 5):
        yield gemini.MEDIA_URLS
    if generation == (2, 0):
        yield gemini.PENALTIES
    if generation >= (3, 0):
        yield gemini.THOUGHT_SIGNATURES
        if can >= {"response_schema", "function_calling"}:
            yield gemini.JSON_WITH_TOOLS
    if "reasoning" in can:
        yield from _thinking(generation, name, can, cannot)


def _thinking(generation: tuple[int, int], name: str, can: set[str], cannot: set[str]) -> Iterator[str]:
    if generation >= (3, 0):
        yield gemini.THINKING_LEVEL
        # What is at the latest may be one that refuses it by now; of those that make pictures nothing is known.
        may = not name.endswith(("-latest", "-image"))
        if may and "flash" in name and "minimal_reasoning_effort" not in cannot:
            yield gemini.LEVEL_MINIMAL
        if "xhigh_reasoning_effort" in can:
            yield gemini.LEVEL_XHIGH
    elif generation == (2, 5):
        yield gemini.THINKING_BUDGET
        if "pro" in name:
            yield gemini.ALWAYS_THINKS


def _generation(name: str) -> tuple[int, int] | None:
    """2.5 and the like; what has no number of its own and is kept at the latest is of the third."""
    if name.endswith("-latest"):
        return 3, 0
    numbered = re.match(r"gemini-(?:nano-banana-)?(\d+)(?:\.(\d+))?-", name + "-")
    if numbered is None or "nano-banana" in name:
        return None
    return int(numbered.group(1)), int(numbered.group(2) or 0)
