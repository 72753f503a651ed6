"""Reads the head of a completions request as that of a chat request, so that one rule bounds both.

One request is many: each prompt of an array has `n` answers, and `best_of` makes more than it shows.
"""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json, parsed, patched
from application.wire.content import Content
from application.wire.errors import InvalidRequest
from application.wire.head import CHOICES_MAX, OUTPUT_TOKENS_MAX, ChatHead, parse_object
from application.wire.prompt import PromptText
from application.wire.spending import unpriced_members

PATH: Final = b"/completions"
MAX_TOKENS_DEFAULT: Final = 16
"""What the endpoint does without a bound; a gateway that sends one must send this."""
PROMPTS_MAX: Final = 2_048


def parse_completion(body: bytes) -> ChatHead:
    """Check and read a request body. `n` counts the answers of all prompts; `echo` and `suffix` count as a prediction.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    stream = fields.flag(request, "stream")
    prompts = _prompts(request.get("prompt"))
    answers = fields.count(request, "n", most=CHOICES_MAX) or 1
    best_of = fields.count(request, "best_of", least=0, most=CHOICES_MAX) or 1
    most = fields.count(request, "max_tokens", least=0, most=OUTPUT_TOKENS_MAX)
    unpriced = unpriced_members(request, provider_tools=False)
    options = fields.optional_object(request, "stream_options")
    return ChatHead(
        model=fields.model(request),
        stream=stream,
        include_usage=stream and fields.flag(options, "include_usage"),
        max_tokens=MAX_TOKENS_DEFAULT if most is None else max(most, 1),  # 0 is no bound to some upstreams
        max_completion_tokens=None,
        n=max(answers, best_of) * prompts,
        user=fields.user(request),
        metadata=None,
        content=Content(messages=prompts),
        has_prediction=fields.flag(request, "echo"),
        provider_tools=0,
        body_bytes=len(body),
        unpriced=unpriced,
    )


def patch_completion(body: bytes, *, model: str, max_tokens: int | None, include_usage: bool) -> bytes:
    """The body for a deployment. `body` must have passed `parse_completion`."""
    members: Json = {"model": model}
    if max_tokens is not None:
        members["max_tokens"] = max_tokens
    if include_usage:
        options = (parsed(body) or {}).get("stream_options")
        members["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return patched(body, members)


def completion_prompt(body: bytes) -> PromptText | None:
    """The texts of a request that has passed `parse_completion`, for a local count; tokens in it count as given."""
    request = parsed(body)
    if request is None:
        return None
    prompt = request.get("prompt")
    if isinstance(prompt, str):
        return PromptText([prompt], 0)
    items = prompt if isinstance(prompt, list) else []
    tokens = sum(len(item) if isinstance(item, list) else isinstance(item, int) for item in items)
    return PromptText([item for item in items if isinstance(item, str)], tokens)


def _prompts(prompt: Any) -> int:
    """How many prompts there are: a text, texts, tokens, or arrays of tokens. None is one that begins from nothing."""
    if prompt is None or isinstance(prompt, str):
        return 1
    if not isinstance(prompt, list):
        raise fields.wrong_type("prompt", "a string or an array", prompt)
    if not prompt:
        raise InvalidRequest("empty_array", "prompt", "'prompt' must not be empty.")
    fields.texts_or_tokens("prompt", prompt)
    if type(prompt[0]) is int:
        return 1
    if len(prompt) > PROMPTS_MAX:
        raise InvalidRequest("invalid_value", "prompt", f"'prompt' has more than {PROMPTS_MAX} prompts.")
    return len(prompt)
