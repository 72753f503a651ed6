"""What a recorded usage object must be charged as: each provider's arithmetic, in exact fractions.

The identities were counted on recorded traffic; every one of them is checked again for every case here.
"""

from fractions import Fraction
from typing import Any

from domain.catalogue.prices import PriceText
from domain.catalogue.provider import UsageDialect
from domain.ledger.events import Units

DIALECTS: dict[str, UsageDialect] = {
    "alibaba": "qwen",
    "azure": "azure",
    "deepseek": "deepseek",
    "gemini": "gemini-compat",
    "mistral": "mistral",
    "moonshot": "kimi",
    "xai": "xai",
    "zai": "glm",
}
"""How an operator would register a provider; all others are `openai`."""

PRICE = PriceText(
    input="1.234567891",
    cached_input="0.123456789",
    cache_write="1.543209877",
    cache_write_long="2.469135781",
    output="6.172839457",
    request="17.5",
)
"""No component is a multiple of another, so that no token can hide in the wrong one."""


def expected_units(provider: str, usage: dict[str, Any]) -> Units:
    """Fresh, cached and written prompt tokens and output, each token once."""
    prompt, completion, total = usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens") or 0
    for elsewhere in ("cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens"):
        cached = cached or usage.get(elsewhere) or 0
    written = details.get("cache_write_tokens") or 0
    if provider == "xai":  # reasoning stands beside the completion
        completion += reasoning
    elif provider == "gemini":  # thoughts are in the total only
        reasoning = max(reasoning, total - prompt - completion)
        completion = total - prompt
    elif provider == "mistral":  # audio is in the total only
        prompt = total - completion
    if cached + written > prompt:  # the same tokens under both names: they count as the dearer
        cached -= written
    return Units(
        input=prompt - cached - written,
        cached_input=cached,
        cache_write=written,
        output=completion,
        reasoning=min(reasoning, completion),
        requests=1,
    )


def adds_up(units: Units, usage: dict[str, Any]) -> bool:
    """Every token that the provider's total has, once."""
    tokens = units.input + units.cached_input + units.cache_write + units.output
    return tokens == int(usage["total_tokens"])


def expected_nano(units: Units) -> int:
    """The price of these units in nano-credits, rounded half-even once."""
    parts = (
        (units.input, PRICE.input),
        (units.cached_input, PRICE.cached_input),
        (units.cache_write, PRICE.cache_write),
        (units.cache_write_long, PRICE.cache_write_long or 0),
        (units.output, PRICE.output),
        (units.requests, PRICE.request),
    )
    return round(sum(count * Fraction(price) * 10**9 / 10**6 for count, price in parts))
