"""A messages request as the chat request that asks for the same."""

from application.dialects.anthropic.surface.members import flag, numbered, objects, text
from application.dialects.anthropic.surface.options import options_of
from application.dialects.anthropic.surface.tools import tools_of
from application.dialects.anthropic.surface.turns import system_messages, turn
from application.dialects.port import Json
from application.wire.errors import InvalidRequest


def chat_request(request: Json, *, reasoning: bool = False) -> Json:
    """Translate; `request` is not changed. `reasoning`: for providers that want earlier thoughts back.

    Raises:
        InvalidRequest: it is malformed, or chat completions have no way to say it.
    """
    try:
        return _translated(request, reasoning=reasoning)
    except RecursionError:
        raise InvalidRequest("nesting_too_deep", None, "The body is nested too deep.") from None


def _translated(request: Json, *, reasoning: bool) -> Json:
    messages = system_messages(request.get("system"))
    turns = 0
    for param, message in numbered(objects(request.get("messages"), "messages"), "messages"):
        said = turn(message, param, reasoning=reasoning)
        turns += len(said)
        messages += said
    if not turns:
        raise InvalidRequest("empty_array", "messages", "'messages' must have at least one message.")
    chat: Json = {"model": text(request.get("model"), "model"), "messages": messages}
    if flag(request.get("stream"), "stream"):
        chat["stream"] = True
    return chat | options_of(request) | tools_of(request)
