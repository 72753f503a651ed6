"""Members of a request that change what a provider charges beyond the tokens that are held for and priced.

One table. A member in it, with a value that is not harmless, is refused, unless every deployment that may serve the
request says that it passes it (`passes` of a deployment): its operator has priced it in. A member that is absent or
null is never refused, and one that is not in the table is none of this module's business.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_NEVER: Final[tuple[Any, ...]] = ()

SPENDING: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        # Another model than the one with the price, or more than one.
        "preset": _NEVER,
        "route": _NEVER,
        "safety_model": _NEVER,
        "transforms": ([],),
        # Searches and other work that is billed by the call, and feeds the prompt with what nobody has counted.
        "enable_code_interpreter": (False,),
        "enable_search": (False,),
        "plugins": ([],),
        "search_parameters": ({"mode": "off"},),
        "web_search": (False,),
        "web_search_options": _NEVER,
        # Another price for the same tokens.
        "inference_geo": ("global",),
        "modalities": (["text"],),
        "prompt_cache_options": ({"mode": "explicit", "ttl": "30m"}, {"ttl": "30m"}),
        "prompt_cache_retention": ("in_memory", "in-memory"),
        "service_tier": ("auto", "default", "on_demand", "standard_only"),
        "speed": ("standard",),
        # An answer that is made, billed, and not in what comes back.
        "deferred": (False,),
    }
)
"""From the member's name to the values that cost nothing."""

TOOLS: Final = "tools"
"""Stands for tools that the provider runs by itself; those that the client runs are always passed on."""

CONTROLS: Final = ("models", "provider", "usage")
"""Said to a gateway, as OpenRouter has them; the first two would let the provider choose another model. The gateway obeys them itself
and takes them out, null or not; so they are found whatever their value is, and a form that has one is refused."""

_NAMES: Final = frozenset((*SPENDING, *CONTROLS))


def unpriced_members(request: Mapping[str, Any], *, provider_tools: bool) -> tuple[str, ...]:
    """The members of `request` that control or spend, in the order of the tables; nearly always none."""
    if not provider_tools and _NAMES.isdisjoint(request):
        return ()
    found = [name for name in CONTROLS if name in request]
    found += [name for name, harmless in SPENDING.items() if _spends(request.get(name), harmless)]
    if provider_tools:
        found.append(TOOLS)
    return tuple(found)


def _spends(value: Any, harmless: tuple[Any, ...]) -> bool:
    return value is not None and not any(type(value) is type(one) and value == one for one in harmless)
