"""LangChain's ChatOpenAI against a gateway, over chat completions and over responses."""

import asyncio
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from shared import KEY, LIMITED_KEY, PNG, POOR_KEY, SAW, URL, Board

board = Board()
sent: list[float] = []


class Person(BaseModel):
    name: str
    age: int


@tool
def warm(city: str) -> str:
    """How warm it is."""
    return f"warm in {city}"


@tool
def wet(city: str) -> str:
    """How wet it is."""
    return f"wet in {city}"


TOOLS = {"warm": warm, "wet": wet}


def model(name: str, **fields: Any) -> ChatOpenAI:
    hooks: Any = {"request": [lambda _: sent.append(time.monotonic())]}
    given: dict[str, Any] = {"model": name, "base_url": URL, "api_key": KEY, "max_tokens": 200}
    return ChatOpenAI(**(given | {"http_client": httpx.Client(event_hooks=hooks)} | fields))


def plain(llm: ChatOpenAI) -> str:
    got = llm.invoke("hi")
    used = got.usage_metadata
    board.equal(
        [used["input_tokens"], used["output_tokens"], used["input_token_details"]["cache_read"]], [21, 9, 5]
    )
    return board.equal(got.text, "You said: hi")


def stream(llm: ChatOpenAI) -> str:
    whole: Any = None
    for chunk in llm.stream("hi there", **({} if llm.use_responses_api else {"stream_usage": True})):
        whole = chunk if whole is None else whole + chunk
    board.equal(whole.usage_metadata["total_tokens"], 30)
    return board.equal(whole.text, "You said: hi there")


def tools(llm: ChatOpenAI, prompt: str, count: int) -> str:
    bound = llm.bind_tools(list(TOOLS.values()))
    messages: list[Any] = [HumanMessage(prompt)]
    first: Any = None
    for chunk in bound.stream(messages):
        first = chunk if first is None else first + chunk
    board.equal(len(first.tool_calls), count)
    messages.append(first)
    messages += [
        ToolMessage(TOOLS[call["name"]].invoke(call["args"]), tool_call_id=call["id"])
        for call in first.tool_calls
    ]
    wanted = "; ".join(["warm in Graz", "wet in Graz"][:count])
    return board.equal(bound.invoke(messages).text, f"The tools say: {wanted}")


def image(llm: ChatOpenAI) -> str:
    url = f"data:image/png;base64,{PNG}"
    parts = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return board.equal(llm.invoke([HumanMessage(parts)]).text, SAW)


def schema(llm: ChatOpenAI, method: str) -> str:
    got = llm.with_structured_output(Person, method=method).invoke("who?")
    return (
        board.equal(isinstance(got, Person), True)
        if method == "function_calling"
        else board.equal(got.age, 36)
    )


def cancel(llm: ChatOpenAI) -> str:
    async def leave() -> int:
        seen = 0
        async for _ in llm.astream("slowly"):
            seen += 1
            if seen == 5:
                break
        return seen

    return f"left after {asyncio.run(leave())} chunks"


def broken(llm: ChatOpenAI) -> str:
    seen: list[str] = []
    try:
        seen.extend(chunk.text for chunk in llm.stream("this is left unfinished, whatever it says"))
    except Exception as error:  # noqa: BLE001  as below
        return f"{type(error).__name__} after {''.join(seen)!r}: {error}"
    raise AssertionError("it ended as if it were whole")


def refusal(llm: ChatOpenAI, prompt: str = "hi", *, times: int = 1) -> str:
    try:
        for _ in range(times):
            sent.clear()
            llm.invoke(prompt)
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is to be seen
        after = getattr(getattr(error, "response", None), "headers", {}).get("retry-after")
        gaps = ", ".join(f"{later - at:.1f} s" for at, later in pairwise(sent))
        return f"{type(error).__name__}, requests={len(sent)} {gaps} retry-after={after}: {str(error)[:90]}"
    raise AssertionError("it was served")


def main() -> int:
    for api in ("chat", "responses"):
        for name in ("on-openai", "on-responses", "on-anthropic", "on-gemini"):
            llm = model(name, use_responses_api=api == "responses")
            checks: list[tuple[str, Callable[[], str]]] = [
                ("plain", lambda llm=llm: plain(llm)),
                ("stream", lambda llm=llm: stream(llm)),
                ("tools", lambda llm=llm: tools(llm, "weather", 1)),
                ("parallel tools", lambda llm=llm: tools(llm, "both", 2)),
                ("image", lambda llm=llm: image(llm)),
                ("JSON schema", lambda llm=llm: schema(llm, "json_schema")),
                ("cancel", lambda llm=llm: cancel(llm)),
                ("broken stream", lambda llm=llm: broken(llm)),
            ]
            for what, run in checks:
                board.check(f"{api} {name} {what}", run)
    board.check("401", lambda: refusal(model("on-openai", api_key="tk_live_wrong")))
    board.check("402", lambda: refusal(model("on-openai", api_key=POOR_KEY, max_tokens=4_000)))
    board.check("404", lambda: refusal(model("no-such-model")))
    board.check("429 of the upstream", lambda: refusal(model("fail-429"), "fail 429"))
    board.check("500 of the upstream", lambda: refusal(model("fail-500"), "fail 500"))
    limited = model("on-openai", api_key=LIMITED_KEY, max_retries=0)
    board.check("429 of the gateway", lambda: refusal(limited, times=2))
    return board.end()


if __name__ == "__main__":
    sys.exit(main())
