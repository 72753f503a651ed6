"""Asks an upstream that speaks chat completions, for clients that speak something else."""

from typing import Final

from application.dialects.openai.chat import canonical
from application.dialects.openai.chat.stream import OpenAiChatStream
from application.dialects.openai.document import Json, object_in, objects_in, parsed, written
from application.dialects.openai.usage import chat_figures, chat_usage
from application.dialects.port import Asked, Read, Target
from application.wire.answer import read_answer, spoken_text
from application.wire.spoken import SpokenText
from domain.catalogue.provider import UsageDialect

PATH: Final = b"/chat/completions"
MAX_TOKENS: Final = "max_tokens"
"""Trait: the model's bound of an answer goes by this name; by default it is `max_completion_tokens`."""
NO_STREAM_OPTIONS: Final = "no_stream_options"
"""Trait: the provider refuses `stream_options`, or gives usage unasked."""
TRAITS: Final = frozenset({MAX_TOKENS, NO_STREAM_OPTIONS})
_NOTHING_SAID: Final = SpokenText("", 0)


class OpenAiUpstream:
    """A `ChatUpstream` of the port. `usage_dialect` says how its provider's figures are to be read."""

    def __init__(self, *, usage_dialect: UsageDialect) -> None:
        self._usage_dialect: UsageDialect = usage_dialect

    def ask(self, chat: Json, target: Target, *, stream: bool) -> Asked:
        request = {
            name: value
            for name, value in chat.items()
            if name not in ("model", "stream", "stream_options", "max_tokens", "max_completion_tokens")
        }
        request["model"] = target.model
        field = "max_tokens" if MAX_TOKENS in target.traits else "max_completion_tokens"
        request[field] = target.output_tokens
        if stream:
            request["stream"] = True
            if NO_STREAM_OPTIONS not in target.traits:
                request["stream_options"] = {**object_in(chat, "stream_options"), "include_usage": True}
        return Asked(path=PATH, body=written(request))

    def read(self, body: bytes, *, alias: str, created_s: int) -> Read:
        answer = read_answer(body)
        document = None if answer.fault else parsed(answer.body)
        if document is None:
            return Read(
                completion=None,
                usage_raw=answer.usage_raw,
                spoken=_NOTHING_SAID,
                fault=answer.fault or "garbage",
            )
        return Read(
            completion=self._completion(document, answer.usage_raw, alias=alias, created_s=created_s),
            usage_raw=answer.usage_raw,
            spoken=spoken_text(answer.body),
        )

    def stream(self, *, alias: str, created_s: int) -> OpenAiChatStream:
        return OpenAiChatStream(alias=alias, created_s=created_s, usage_dialect=self._usage_dialect)

    def _completion(self, document: Json, usage_raw: bytes | None, *, alias: str, created_s: int) -> Json:
        said_s = document.get("created")
        created_s = said_s if type(said_s) is int and said_s > 0 else created_s
        name = document.get("id")
        completion: Json = {
            "id": name if isinstance(name, str) and name else f"chatcmpl-{created_s}",
            "object": "chat.completion",
            "created": created_s,
            "model": alias,
            "choices": [_choice(choice) for choice in objects_in(document, "choices")],
            **canonical.extras(document),
        }
        counted = chat_figures(usage_raw, dialect=self._usage_dialect)
        if counted is not None:
            completion["usage"] = chat_usage(counted)
        return completion


def _choice(choice: Json) -> Json:
    logprobs = choice.get("logprobs")
    return {
        "index": canonical.index_of(choice),
        "message": canonical.message(object_in(choice, "message")),
        "finish_reason": canonical.reason(choice.get("finish_reason")) or "stop",
        "logprobs": logprobs if isinstance(logprobs, dict) else None,
    }
