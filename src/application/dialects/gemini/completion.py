"""Reads a whole answer of `generateContent` as a chat completion."""

import msgspec

from application.dialects.gemini.answer import Answer, Said, readable
from application.dialects.gemini.usage import chat_usage
from application.dialects.port import Json, Read
from application.wire.answer import AnswerFault
from application.wire.chunk import NOT_JSON


class _Around(msgspec.Struct, gc=False):
    usageMetadata: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815  Google's name


_decode_around = msgspec.json.Decoder(_Around).decode


def read_completion(body: bytes, *, alias: str, created_s: int) -> Read:
    """Read the whole body of a 200; an error in it is a fault, and so is an answer without anything in it. Never raises."""
    answer = Answer()
    response = readable(body)
    if type(response) is list and response:  # errors of the OpenAI-compatible path come in a list
        response = response[0]
        if type(response) is dict and not response.get("error"):
            response = None
    if type(response) is not dict:
        return _failed(answer, "garbage")
    if response.get("error"):
        return _failed(answer, "error_body")
    said = [one for one in answer.take(response) if one.began]
    usage_raw = _raw(body) or answer.usage_raw if answer.usage else None
    choices = [_choice(one) for one in sorted(said, key=lambda one: one.choice.index)]
    if not choices and answer.blocked is not None:
        choices = [_blocked(answer.blocked)]
    if not choices or any(choice["finish_reason"] is None for choice in choices):
        return _failed(answer, "garbage", usage_raw)
    completion: Json = {
        "id": answer.answer_id,
        "object": "chat.completion",
        "created": created_s,
        "model": alias,
        "choices": choices,
    }
    if answer.usage:
        completion["usage"] = chat_usage(answer.usage)
    if answer.service_tier is not None:
        completion["service_tier"] = answer.service_tier
    return Read(completion=completion, usage_raw=usage_raw, spoken=answer.spoken.text())


def _failed(answer: Answer, fault: AnswerFault, usage_raw: bytes | None = None) -> Read:
    return Read(completion=None, usage_raw=usage_raw, spoken=answer.spoken.text(), fault=fault)


def _choice(said: Said) -> Json:
    message: Json = {"role": "assistant", "content": None, "refusal": None, **said.delta}
    if message["content"] is None and "tool_calls" not in message:
        message["content"] = ""
    calls = message.get("tool_calls", ())
    for call in calls:
        del call["index"]  # of a stream only
    reason = said.choice.reason
    if not said.choice.ended and (said.delta and not said.choice.broken):
        reason = "tool_calls" if calls else "stop"  # a whole body without a reason is whole all the same
    return {
        "index": said.choice.index,
        "message": message,
        "logprobs": said.logprobs,
        "finish_reason": reason,
    }


def _blocked(refusal: str) -> Json:
    return {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": refusal},
        "logprobs": None,
        "finish_reason": "content_filter",
    }


def _raw(body: bytes) -> bytes | None:
    """The usage object as it was written."""
    try:
        raw = bytes(_decode_around(body).usageMetadata)
    except NOT_JSON:
        return None
    return raw if raw[:1] == b"{" else None
