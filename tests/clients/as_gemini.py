"""How Gemini's generateContent says it."""

from collections.abc import Iterator

from tests.clients.scene import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Asked, Image, Json

USAGE: Json = {"promptTokenCount": INPUT_TOKENS, "cachedContentTokenCount": CACHED_TOKENS}


def read(body: Json, *, model: str, stream: bool) -> Asked:
    turns = [content["parts"] for content in body["contents"] if content.get("role") != "model"]
    parts = [part for turn in turns for part in turn]
    config = body.get("generationConfig") or {}
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    declared = [one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    results = [part["functionResponse"] for part in turns[-1] if "functionResponse" in part]
    return Asked(
        model=model,
        stream=stream,
        text=next((part["text"] for part in reversed(parts) if "text" in part), ""),
        images=tuple(Image(one["mimeType"], one["data"]) for one in inline),
        tools=tuple(
            (one["name"], one.get("parametersJsonSchema") or one.get("parameters") or {}) for one in declared
        ),
        results=tuple(str(next(iter(one["response"].values()))) for one in results),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
    )


def response(asked: Asked, answer: Answer) -> Json:
    return _response(asked, _parts(answer), finish="STOP", tokens=OUTPUT_TOKENS)


def _parts(answer: Answer) -> list[Json]:
    calls: list[Json] = [{"functionCall": {"name": name, "args": given}} for name, given in answer.calls]
    if calls:  # the first of a step carries it, and has to come back with it
        calls[0]["thoughtSignature"] = "c2lnbmVk"
    return calls or [{"text": answer.text}]


def _response(asked: Asked, parts: list[Json], *, finish: str | None, tokens: int) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": USAGE | {"candidatesTokenCount": tokens, "totalTokenCount": INPUT_TOKENS + tokens},
        "modelVersion": asked.model,
        "responseId": "scripted",
    }


def events(asked: Asked, answer: Answer) -> Iterator[Json]:
    pieces = (
        [[part] for part in _parts(answer)] if answer.calls else [[{"text": one}] for one in answer.pieces]
    )
    for tokens, parts in enumerate(pieces, 1):  # each tells what was used so far
        yield _response(asked, parts, finish=None, tokens=tokens)
    yield _response(asked, [{"text": ""}], finish="STOP", tokens=OUTPUT_TOKENS)


def refusal(status: int) -> Json:
    words = {404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    return {
        "error": {"code": status, "message": f"Scripted {status}.", "status": words.get(status, "INTERNAL")}
    }
