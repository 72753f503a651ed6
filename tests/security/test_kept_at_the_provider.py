"""All customers share the operator's account at a provider: what one left there, another cannot name."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from application.dialects.anthropic.surface.head import parse_messages
from application.wire.head import ChatHead, parse_chat
from application.wire.stored import STORED
from tests.api.v1.gateway_world import SEARCHES, World, ask

HELLO = {"role": "user", "content": "Hello"}
SPOKEN = {"role": "assistant", "audio": {"id": "audio_of_another"}}


def _chat(**members: Any) -> ChatHead:
    return parse_chat(json.dumps({"model": "m", "messages": [HELLO]} | members).encode())


def _messages(**members: Any) -> ChatHead:
    return parse_messages(json.dumps({"model": "m", "max_tokens": 1, "messages": [HELLO]} | members).encode())


@pytest.mark.parametrize(
    ("parse", "members", "named"),
    [
        (_messages, {"container": "container_of_another"}, "container"),
        (_messages, {"container": {"id": "container_of_another", "skills": []}}, "container"),
        (_chat, {"messages": [HELLO, SPOKEN, HELLO]}, "audio.id"),
    ],
    ids=["container", "container with skills", "spoken answer"],
)
def test_what_is_kept_is_noticed(parse: Callable[..., ChatHead], members: dict[str, Any], named: str) -> None:
    """By a name of its own: a deployment that passes tools does not thereby open what they left behind."""
    assert named in parse(**members).unpriced
    assert named in STORED


def test_a_new_container_is_only_work_of_the_provider() -> None:
    """It holds nothing of anybody's."""
    assert _messages(container={"skills": []}).unpriced == ("tools",)
    assert _messages(container=None).unpriced == ()


def test_an_argument_of_the_clients_own_tool_is_no_reference() -> None:
    """A client whose tool takes a `file_id` of its own was refused from the second turn on."""
    call = {"type": "tool_use", "id": "t", "name": "read", "input": {"file_id": "of the client's own drive"}}
    tool = {"name": "read", "input_schema": {"type": "object"}, "input_examples": [{"file_id": "an example"}]}
    turns = [HELLO, {"role": "assistant", "content": [call]}, HELLO]
    assert _messages(messages=turns, tools=[tool]).unpriced == ()
    file = {"type": "document", "source": {"type": "file", "file_id": "file_of_another"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [file]}
    assert "file_id" in _messages(messages=[*turns, {"role": "user", "content": [result]}]).unpriced


@pytest.mark.parametrize("model", ["demo-fast", SEARCHES])
def test_the_gateway_refuses_it_before_anything_is_sent(world: World, model: str) -> None:
    """The deployment behind the second alias passes tools; neither opens a container."""
    answer = world.chat(ask(model, messages=[HELLO, SPOKEN, HELLO]))
    assert answer.json()["error"]["code"] == "stateful_not_supported"
    body = {"model": model, "max_tokens": 9, "messages": [HELLO], "container": "container_of_another"}
    headers = {"x-api-key": world.seed.api_key}
    assert world.client.post("/v1/messages", json=body, headers=headers).json()["type"] == "error"
    assert world.events(answer.headers["x-request-id"]) == []
    assert world.chat(ask(model)).status_code == 200  # what brings its own is served
