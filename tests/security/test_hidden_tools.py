"""What a provider runs by itself is found wherever a responses request may bring it in, and so is what it keeps."""

import msgspec
import pytest

from application.dialects.openai.responses.head import parse_responses
from application.wire.errors import InvalidRequest
from application.wire.spending import TOOLS

SEARCH = {"type": "web_search"}


def _body(**members: object) -> bytes:
    return msgspec.json.encode({"model": "m", "input": "Hello"} | members)


def _brought_by(kind: str, tool: object) -> bytes:
    item: dict[str, object] = {"type": kind, "tools": [tool]}
    return _body(input=[{"role": "user", "content": "Hello"}, item | {"call_id": "c", "role": "developer"}])


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
def test_a_tool_of_the_provider_within_the_input_is_counted(kind: str) -> None:
    """The output of a client's tool search brings tools as well: a search there costs what a search costs."""
    head = parse_responses(_brought_by(kind, SEARCH))
    assert head.provider_tools == 1
    assert TOOLS in head.unpriced


def test_a_tool_of_the_provider_within_a_namespace_is_counted() -> None:
    """A namespace groups functions; what else is in it is not the client's."""
    namespace = {"type": "namespace", "name": "n", "description": "d", "tools": [SEARCH]}
    assert parse_responses(_body(tools=[namespace])).provider_tools == 1
    assert parse_responses(_brought_by("tool_search_output", namespace)).provider_tools == 1


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
@pytest.mark.parametrize(
    "tool",
    [
        {"type": "code_interpreter", "container": "cntr_of_another"},
        {"type": "file_search", "vector_store_ids": ["vs_of_another"]},
        {"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_1"}},
    ],
    ids=["container", "vector store", "environment"],
)
def test_a_tool_within_the_input_cannot_name_what_another_customer_keeps(kind: str, tool: object) -> None:
    """Even where the operator lets such tools pass: `passes` prices a tool, it opens no container."""
    with pytest.raises(InvalidRequest) as refused:
        parse_responses(_brought_by(kind, tool))
    assert refused.value.code == "stateful_not_supported"


def test_functions_of_a_tool_search_stay_the_clients() -> None:
    """What the client runs is passed, wherever it stands."""
    function = {"type": "function", "name": "f", "parameters": {}}
    namespace = {"type": "namespace", "name": "n", "description": "d", "tools": [function]}
    assert parse_responses(_brought_by("tool_search_output", namespace)).provider_tools == 0
    assert parse_responses(_brought_by("additional_tools", function)).unpriced == ()
