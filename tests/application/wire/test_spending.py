"""Members that make a provider charge for more than tokens: found in every spelling that spends, and in no other."""

from typing import Any

import msgspec
import pytest

from application.wire.head import parse_chat
from application.wire.spending import CONTROLS, SPENDING, unpriced_members

BASE = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def unpriced(**members: Any) -> tuple[str, ...]:
    return parse_chat(msgspec.json.encode(BASE | members)).unpriced


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("models", ["openai/gpt-6-astra"]),
        ("provider", {"order": ["anthropic"]}),
        ("provider", {}),
        ("route", "fallback"),
        ("preset", "@preset/x"),
        ("transforms", ["middle-out"]),
        ("plugins", [{"id": "web"}]),
        ("web_search_options", {}),
        ("search_parameters", {"mode": "auto"}),
        ("enable_search", True),
        ("enable_search", 0),
        ("service_tier", "priority"),
        ("service_tier", "flex"),
        ("service_tier", "AUTO"),
        ("service_tier", ["auto"]),
        ("modalities", ["text", "audio"]),
        ("prompt_cache_options", {"mode": "explicit", "ttl": "12h"}),
        ("prompt_cache_retention", "24h"),
        ("deferred", True),
        ("deferred", 1),
    ],
)
def test_a_member_that_spends_is_found(name: str, value: Any) -> None:
    """Whatever its value is, unless that is known to cost nothing."""
    assert unpriced(**{name: value}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service_tier", "auto"),
        ("service_tier", "default"),
        ("transforms", []),
        ("plugins", []),
        ("enable_search", False),
        ("search_parameters", {"mode": "off"}),
        ("modalities", ["text"]),
        ("temperature", 1),
        ("reasoning_effort", "high"),
        ("store", True),
        (
            "tools",
            [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "c"}}],
        ),
        ("tools", []),
        ("tools", "odd"),
    ],
)
def test_a_member_that_costs_nothing_passes(name: str, value: Any) -> None:
    """The upstream judges it."""
    assert unpriced(**{name: value}) == ()


@pytest.mark.parametrize("name", SPENDING)
def test_null_is_as_good_as_absent(name: str) -> None:
    """Clients send what they do not set."""
    assert unpriced(**{name: None}) == ()


@pytest.mark.parametrize("name", CONTROLS)
def test_what_routes_is_found_whatever_it_says(name: str) -> None:
    """It is taken out of what is sent on, null or not."""
    assert unpriced(**{name: None}) == (name,)


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "builtin_function"},
        {"type": "openrouter:web_search"},
        {"type": None},
        {},
        "x",
    ],
)
def test_a_tool_that_the_provider_runs_is_found(tool: Any) -> None:
    """By what it is not: only functions and custom tools run at the client."""
    assert unpriced(tools=[{"type": "function", "function": {"name": "f"}}, tool]) == ("tools",)


def test_all_that_spend_are_named_in_one_order() -> None:
    """Not in that of the request."""
    found = unpriced(tools=[{"type": "web_search"}], service_tier="flex", models=["a"])
    assert found == ("models", "service_tier", "tools")


def test_a_plain_request_is_not_looked_at_closely() -> None:
    """One look at the names, and nothing is made."""
    assert unpriced_members(BASE, provider_tools=False) is unpriced_members({}, provider_tools=False)
