"""Cache breakpoints on their way through a chat request."""

from typing import Any

import pytest

from application.wire.errors import InvalidRequest


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def call(call_id: str, arguments: object = "{}", name: str = "look") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def refused(ask: Any, *messages: dict[str, Any], traits: tuple[str, ...] = ()) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        ask(*traits, messages=list(messages))
    return refusal.value


def test_cache_breakpoints_are_kept(body: Any) -> None:
    """On parts, on messages (at their last block), on calls, on results and on tools."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    found = body(
        messages=[
            {"role": "system", "content": [text("S") | mark]},
            {"role": "user", "content": "U"} | mark,
            {"role": "assistant", "tool_calls": [call("a")]},
            {"role": "tool", "tool_call_id": "a", "content": [text("R") | mark]},
        ],
        tools=[{"type": "function", "function": {"name": "look"}} | mark],
    )
    assert found["system"][0] == text("S") | mark
    assert found["messages"][0]["content"] == [text("U") | mark]
    assert found["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": [text("R")]} | mark
    ]
    assert found["tools"][0]["cache_control"] == mark["cache_control"]


def test_a_breakpoint_of_the_whole_request_is_kept(body: Any) -> None:
    """Null members of it are not sent."""
    found = body(cache_control={"type": "ephemeral", "ttl": None})
    assert found["cache_control"] == {"type": "ephemeral"}


def test_more_breakpoints_than_the_provider_takes_are_refused(ask: Any) -> None:
    """Four at most."""
    part = text("x") | {"cache_control": {"type": "ephemeral"}}
    ask(messages=[{"role": "user", "content": [part] * 4}])
    refusal = refused(ask, {"role": "user", "content": [part] * 5})
    assert refusal.param == "messages[0].content[4].cache_control"


@pytest.mark.parametrize("odd", [True, {"type": "eternal"}, {"type": "ephemeral", "ttl": "1y"}])
def test_a_breakpoint_that_is_none_is_refused(ask: Any, odd: object) -> None:
    """It names the part."""
    refusal = refused(ask, {"role": "user", "content": [text("x") | {"cache_control": odd}]})
    assert refusal.param == "messages[0].content[0].cache_control"
