"""The official SDK, strict about every body, against the real process."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from sandbox.tokens import Tokens
from tests.sandbox.conftest import Running

MESSAGES: list[Any] = [
    {"role": "developer", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "Name three"}, {"type": "text", "text": " trees."}],
    },
]
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}}}
]


def strict(kind: Any, shared: Running) -> Any:
    return kind(base_url=shared.base_url, api_key="sk-any", max_retries=0, _strict_response_validation=True)


@pytest.fixture
def client(shared: Running) -> Iterator[OpenAI]:
    with strict(OpenAI, shared) as made:
        yield made


def test_a_completion_is_valid_and_its_usage_true(client: OpenAI, counter: Tokens) -> None:
    """Usage is what tiktoken counts: the content, and per message 3 + role + text, and 3."""
    got = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES)
    content = got.choices[0].message.content
    assert got.usage is not None
    assert content is not None
    assert got.usage.completion_tokens == counter.count(content)
    prompt = 3 + sum(3 + 1 + counter.count(text) for text in ("Be brief.", "Name three trees."))
    assert got.usage.prompt_tokens == prompt
    assert got.usage.total_tokens == prompt + counter.count(content)
    assert (got.choices[0].finish_reason, got.choices[0].message.role) == ("stop", "assistant")


def test_an_answer_is_a_function_of_the_question(client: OpenAI) -> None:
    """The same words stream or not, and to another id; other words to other messages, models and seeds."""

    def ask(**fields: Any) -> Any:
        return client.chat.completions.create(**{"model": "sandbox-fast", "messages": MESSAGES, **fields})

    first, again = ask(), ask(user="someone", temperature=0.5, metadata={"ref": "other"})
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True))
    assert first.choices == again.choices
    assert first.choices[0].message.content == streamed
    assert first.id != again.id
    others = [ask(messages=MESSAGES[:1]), ask(model="sandbox/nested-name"), ask(seed=1)]
    assert len({made.choices[0].message.content for made in [first, *others]}) == 4
    assert "trees" not in streamed


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_limit_cuts_and_says_so(client: OpenAI, field: str) -> None:
    """Exactly the limit, finish reason length, and the beginning of the whole answer."""
    whole = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES)
    limit: Any = {field: 7}
    cut = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES, **limit)
    assert cut.usage is not None
    assert (cut.usage.completion_tokens, cut.choices[0].finish_reason) == (7, "length")
    assert (whole.choices[0].message.content or "").startswith(cut.choices[0].message.content or "-")


def test_several_choices_differ_and_are_all_counted(client: OpenAI, counter: Tokens) -> None:
    """n=3: three texts, one sum; the same three when streamed in turns."""
    got = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES, n=3, max_tokens=9)
    texts = [choice.message.content or "" for choice in got.choices]
    assert len(set(texts)) == 3
    assert got.usage is not None
    assert got.usage.completion_tokens == sum(map(counter.count, texts)) == 27
    streamed = ["", "", ""]
    for chunk in client.chat.completions.create(
        model="sandbox-fast", messages=MESSAGES, n=3, max_tokens=9, stream=True
    ):
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""
    assert streamed == texts


def test_a_stop_sequence_ends_the_answer(client: OpenAI, counter: Tokens) -> None:
    """Cut inside a word, the tokens are counted anew."""
    whole = (
        client.chat.completions.create(model="sandbox-fast", messages=MESSAGES).choices[0].message.content
        or ""
    )
    stop = whole.split()[5][2:]
    got = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES, stop=[stop])
    assert got.choices[0].message.content == whole[: whole.index(stop)]
    assert got.choices[0].finish_reason == "stop"
    assert got.usage is not None
    assert got.usage.completion_tokens == counter.count(whole[: whole.index(stop)])


def test_usage_in_a_stream_is_on_its_own_chunk_if_asked_for(client: OpenAI) -> None:
    """Asked: null on the others, last, without choices. Not asked: no chunk has the field."""
    ask: Any = {"model": "sandbox-fast", "messages": MESSAGES, "stream": True}
    chunks = list(client.chat.completions.create(**ask, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in chunks[:-1])
    assert chunks[-1].usage == client.chat.completions.create(model="sandbox-fast", messages=MESSAGES).usage
    silent = list(client.chat.completions.create(**ask))
    assert not any("usage" in chunk.model_fields_set for chunk in silent)
    assert silent[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in silent] == [None] * (len(silent) - 1) + ["stop"]


@pytest.mark.parametrize(
    ("choice", "finish"),
    [("required", "tool_calls"), ({"type": "function", "function": {"name": "lookup"}}, "stop")],
)
def test_a_forced_tool_is_called(client: OpenAI, counter: Tokens, choice: Any, finish: str) -> None:
    """With the arguments `{}`, the same when streamed; finish reasons as recorded from OpenAI."""
    ask: Any = {"model": "sandbox-fast", "messages": MESSAGES, "tools": TOOLS, "tool_choice": choice}
    got = client.chat.completions.create(**ask)
    calls = got.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert (calls[0].function.name, calls[0].function.arguments) == ("lookup", "{}")
    assert (got.choices[0].message.content, got.choices[0].finish_reason) == (None, finish)
    assert got.usage is not None
    assert got.usage.completion_tokens == counter.count("lookup") + counter.count("{}")
    deltas = [
        chunk.choices[0].delta.tool_calls for chunk in client.chat.completions.create(**ask, stream=True)
    ]
    parts = [call.function for found in deltas for call in found or ()]
    assert [(part.name, part.arguments) for part in parts if part] == [("lookup", ""), (None, "{}")]


def test_a_tool_on_offer_is_not_called(client: OpenAI) -> None:
    """Only a forced choice is obeyed; the tools count as prompt."""
    plain = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES)
    offered = client.chat.completions.create(model="sandbox-fast", messages=MESSAGES, tools=TOOLS)
    assert offered.choices == plain.choices
    assert plain.usage is not None
    assert offered.usage is not None
    assert offered.usage.prompt_tokens > plain.usage.prompt_tokens


def test_the_echo_says_the_last_user_message(client: OpenAI, counter: Tokens) -> None:
    """The only model that repeats the prompt, cut to the limit in whole characters."""
    said: list[Any] = [{"role": "user", "content": "Füße, 日本語, 🤖🤖 and more"}]
    whole = client.chat.completions.create(model="sandbox-echo", messages=said)
    cut = client.chat.completions.create(model="sandbox-echo", messages=said, max_tokens=6)
    assert whole.choices[0].message.content == said[0]["content"]
    part = cut.choices[0].message.content or ""
    assert said[0]["content"].startswith(part)
    assert cut.usage is not None
    assert 0 < counter.count(part) == cut.usage.completion_tokens <= 6
    assert cut.choices[0].finish_reason == "length"


def test_embeddings_are_the_same_in_both_encodings(shared: Running, client: OpenAI, counter: Tokens) -> None:
    """The SDK asks for base64 by default (its strict mode refuses that itself); unit vectors, functions of the text."""
    with OpenAI(base_url=shared.base_url, api_key="sk-any") as lenient:
        packed = lenient.embeddings.create(model="sandbox-embed", input=["one text", "another"])
    listed = client.embeddings.create(
        model="sandbox-embed", input=["one text", "another"], encoding_format="float"
    )
    assert [item.embedding for item in packed.data] == [item.embedding for item in listed.data]
    assert packed.usage.prompt_tokens == counter.count("one text") + counter.count("another")
    vector = packed.data[0].embedding
    assert len(vector) == 1536
    assert abs(sum(value * value for value in vector) - 1) < 1e-3
    assert vector != packed.data[1].embedding
    short = client.embeddings.create(
        model="sandbox-embed", input=[[1, 2, 3]], dimensions=8, encoding_format="float"
    )
    assert (len(short.data[0].embedding), short.usage.total_tokens) == (8, 3)


def test_models_are_listed_and_found(client: OpenAI) -> None:
    """Names with slashes too, and every fault's model by name; nobody owns them but the sandbox."""
    listed = list(client.models.list())
    assert {model.owned_by for model in listed} == {"tokenok-sandbox"}
    for model in listed:
        assert client.models.retrieve(model.id) == model
    assert client.models.retrieve("sandbox-fault-status_503").id == "sandbox-fault-status_503"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("gpt-unknown")
    assert refused.value.code == "model_not_found"


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    """As OpenAI says it."""
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-unknown", messages=MESSAGES)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_a_fault_model_misbehaves(client: OpenAI) -> None:
    """A fault needs no field of the body, so it passes any gateway."""
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="sandbox-fault-status_429", messages=MESSAGES)
    assert limited.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.APIError) as broken:
        list(
            client.chat.completions.create(
                model="sandbox-fault-error_event_mid_stream", messages=MESSAGES, stream=True
            )
        )
    assert broken.value.code == "server_error"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("sse_comments", "whole"),
        ("sse_crlf", "whole"),
        ("sse_no_space", "whole"),
        ("done_suffix", "whole"),
        ("end_without_done", "whole"),
        ("end_mid_stream", "part"),
        ("json_for_stream", "empty"),
        ("sse_ids", "whole"),
        ("sse_ids_and_comments", "JSONDecodeError"),
        ("sse_retry", "JSONDecodeError"),
        ("sse_ping_events", "JSONDecodeError"),
        ("sse_empty_data", "JSONDecodeError"),
        ("error_event_mid_stream", "APIError"),
        ("cut_mid_stream", "APIConnectionError"),
    ],
)
def test_a_bent_stream_meets_the_sdk_as_recorded(client: OpenAI, fault: str, outcome: str) -> None:
    """What is known of this SDK: a stream that just ends looks complete, an `id:` line or a ping breaks it."""
    ask: Any = {"model": "sandbox-fast", "messages": MESSAGES, "stream": True, "max_tokens": 8}

    def said(**fields: Any) -> Iterator[str]:
        for chunk in client.chat.completions.create(**ask, **fields):
            yield chunk.choices[0].delta.content or ""

    good, heard = "".join(said()), ""
    try:
        for word in said(metadata={"sandbox": json.dumps({"fault": fault})}):
            heard += word
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        found = type(error).__name__
    else:
        found = {good: "whole", "": "empty"}.get(heard, "part" if good.startswith(heard) else "wrong")
    assert found == outcome


def test_the_asynchronous_client_gets_the_same(shared: Running, client: OpenAI) -> None:
    """JSON, stream and embeddings, forty at a time over kept connections."""
    expected = (
        client.chat.completions.create(model="sandbox-fast", messages=MESSAGES).choices[0].message.content
    )

    async def ask(made: AsyncOpenAI) -> tuple[str | None, str]:
        got = await made.chat.completions.create(model="sandbox-fast", messages=MESSAGES)
        stream = await made.chat.completions.create(model="sandbox-fast", messages=MESSAGES, stream=True)
        streamed = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return got.choices[0].message.content, "".join(streamed)

    async def all_of_them() -> set[tuple[str | None, str]]:
        async with strict(AsyncOpenAI, shared) as made:
            await made.embeddings.create(model="sandbox-embed", input="text", encoding_format="float")
            return set(await asyncio.gather(*(ask(made) for _ in range(40))))

    assert asyncio.run(all_of_them()) == {(expected, expected)}
