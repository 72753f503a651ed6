"""What a gateway answered, for whoever reads it without a script: the text, what it took and what it cost."""

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One model's answer, or why there is none. `cost` is in credits, as the gateway has written it."""

    model: str
    text: str = ""
    problem: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message = _Message()


class _Completion(msgspec.Struct, frozen=True):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None


def answer_of(model: str, status: int, body: bytes) -> Answer:
    """Reads a completion, or an error; what is neither is told by its status."""
    if status != 200:  # noqa: PLR2004  # OK
        return Answer(model=model, problem=problem_of(status, body))
    try:
        found = msgspec.json.decode(body, type=_Completion)
    except msgspec.DecodeError:
        return Answer(model=model, problem="The answer cannot be read.")
    usage = found.usage or _Usage()
    cost = bytes(usage.cost).decode()
    return Answer(
        model=model,
        text=(found.choices[0].message.content or "") if found.choices else "",
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cost=None if cost == "null" else cost,
    )


def problem_of(status: int, body: bytes) -> str:
    """The message of an error in OpenAI's form."""
    try:
        found: Any = msgspec.json.decode(body)
        return str(found["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"HTTP {status}"
