"""LiteLLM as a client of a gateway: its `openai/` models over chat completions and responses, `anthropic/` over messages."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import litellm
from pydantic import BaseModel
from shared import KEY, LIMITED_KEY, PNG, POOR_KEY, SAW, URL, Board

litellm.suppress_debug_info = True
board = Board()
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in ("warm", "wet")]


class Person(BaseModel):
    name: str
    age: int


def ask(model: str, content: Any, **fields: Any) -> Any:
    base = URL if model.startswith("openai/") else URL.removesuffix("/v1")
    messages = (
        content
        if isinstance(content, list) and "role" in content[0]
        else [{"role": "user", "content": content}]
    )
    given = {"model": model, "messages": messages, "api_base": base, "api_key": KEY, "max_tokens": 200}
    return litellm.completion(**(given | fields))


def said(got: Any) -> Any:
    return got.choices[0].message.content


def plain(model: str) -> str:
    got = ask(model, "hi")
    used = got.usage
    board.equal(
        [used.prompt_tokens, used.completion_tokens, used.prompt_tokens_details.cached_tokens], [21, 9, 5]
    )
    return board.equal(said(got), "You said: hi")


def streamed(model: str, content: Any, **fields: Any) -> Any:
    chunks = list(ask(model, content, stream=True, stream_options={"include_usage": True}, **fields))
    return litellm.stream_chunk_builder(chunks)


def stream(model: str) -> str:
    got = streamed(model, "hi there")
    board.equal([got.usage.prompt_tokens, got.usage.completion_tokens], [21, 9])
    return board.equal(said(got), "You said: hi there")


def tools(model: str, prompt: str, count: int, *, is_stream: bool) -> str:
    first = streamed(model, prompt, tools=TOOLS) if is_stream else ask(model, prompt, tools=TOOLS)
    message = first.choices[0].message
    board.equal(len(message.tool_calls), count)
    messages: list[Any] = [{"role": "user", "content": prompt}, message.model_dump(exclude_none=True)]
    for call in message.tool_calls:
        city = json.loads(call.function.arguments)["city"]
        messages.append(
            {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name} in {city}"}
        )
    wanted = "; ".join(["warm in Graz", "wet in Graz"][:count])
    return board.equal(said(ask(model, messages, tools=TOOLS)), f"The tools say: {wanted}")


def image(model: str) -> str:
    url = f"data:image/png;base64,{PNG}"
    parts = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return board.equal(said(ask(model, parts)), SAW)


def schema(model: str) -> str:
    return board.equal(
        json.loads(said(ask(model, "who?", response_format=Person))), {"name": "Ada", "age": 36}
    )


def cancel(model: str) -> str:
    seen = 0
    answer = ask(model, "slowly", stream=True)
    for _ in answer:
        seen += 1
        if seen == 5:
            break
    return f"left after {seen} chunks"


def broken(model: str) -> str:
    seen: list[str] = []
    try:
        chunks = ask(model, "this is left unfinished, whatever it says", stream=True)
        seen.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    except Exception as error:  # noqa: BLE001  as below
        return f"{type(error).__name__} after {''.join(seen)!r}: {str(error)[:110]!r}"
    raise AssertionError("it ended as if it were whole")


def responses(model: str) -> str:
    got = litellm.responses(model=model, input="hi", api_base=URL, api_key=KEY)
    board.equal([got.usage.input_tokens, got.usage.output_tokens], [21, 9])
    text = got.output[-1].content[0].text
    events = litellm.responses(model=model, input="hi there", api_base=URL, api_key=KEY, stream=True)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    return board.equal([text, "".join(deltas)], ["You said: hi", "You said: hi there"])


def refusal(model: str, prompt: str = "hi", *, times: int = 1, **fields: Any) -> str:
    started_s = time.monotonic()
    try:
        for _ in range(times):
            ask(model, prompt, **fields)
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is to be seen
        status = getattr(error, "status_code", None)
        took_s = time.monotonic() - started_s
        return f"{type(error).__name__} {status} in {took_s:.1f} s: {str(error)[:110]!r}"
    raise AssertionError("it was served")


def main() -> int:
    names = [f"openai/on-{one}" for one in ("openai", "anthropic", "gemini")]
    names += [f"anthropic/on-{one}" for one in ("anthropic", "openai", "gemini")]
    for name in names:
        checks: list[tuple[str, Callable[[], str]]] = [
            ("plain", lambda name=name: plain(name)),
            ("stream", lambda name=name: stream(name)),
            ("tools", lambda name=name: tools(name, "weather", 1, is_stream=False)),
            ("tools stream", lambda name=name: tools(name, "weather", 1, is_stream=True)),
            ("parallel tools", lambda name=name: tools(name, "both", 2, is_stream=False)),
            ("parallel tools stream", lambda name=name: tools(name, "both", 2, is_stream=True)),
            ("image", lambda name=name: image(name)),
            ("JSON schema", lambda name=name: schema(name)),
            ("cancel", lambda name=name: cancel(name)),
            ("broken stream", lambda name=name: broken(name)),
        ]
        for what, run in checks:
            board.check(f"{name} {what}", run)
    for name in ("openai", "anthropic", "gemini", "responses"):
        board.check(f"responses on-{name}", lambda name=name: responses(f"openai/on-{name}"))
    for form in ("openai", "anthropic"):
        known = f"{form}/on-openai"
        board.check(f"{form}/ 401", lambda known=known: refusal(known, api_key="tk_live_wrong"))
        board.check(f"{form}/ 402", lambda known=known: refusal(known, api_key=POOR_KEY, max_tokens=4_000))
        board.check(f"{form}/ 404", lambda form=form: refusal(f"{form}/no-such-model"))
        board.check(f"{form}/ 429 of the upstream", lambda form=form: refusal(f"{form}/fail-429", "fail 429"))
        board.check(f"{form}/ 500 of the upstream", lambda form=form: refusal(f"{form}/fail-500", "fail 500"))
        board.check(
            f"{form}/ 429 of the gateway",
            lambda known=known: refusal(known, times=2, api_key=LIMITED_KEY, max_retries=0),
        )
    return board.end()


if __name__ == "__main__":
    sys.exit(main())
