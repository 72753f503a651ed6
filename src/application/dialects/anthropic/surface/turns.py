"""Turns as chat messages. Results of tools become messages of their own, before the rest of their turn."""

from typing import Any, Final

from application.dialects.anthropic.surface.blocks import blocks_of, joined, parts_of, plain
from application.dialects.anthropic.surface.encode import encoded
from application.dialects.anthropic.surface.members import optional_object, optional_text, text, unsupported
from application.dialects.port import Json

_BY_PROVIDER: Final = frozenset({"redacted_thinking", "server_tool_use", "mcp_tool_use", "fallback"})
_BY_PROVIDER_END: Final = "_tool_result"
"""What only the provider that wrote it can read, or made by itself for the text that follows: others are not shown it."""
_SHOWN_BELOW: Final = "The result is shown in the next message."


def system_messages(system: Any) -> list[Json]:
    """The system prompt as the first message, if there is one.

    Raises:
        InvalidRequest: it is neither text nor blocks of text.
    """
    if system is None:
        return []
    said = _texts(system, "system")
    return [{"role": "system", "content": said}] if said else []


def turn(message: Json, param: str, *, reasoning: bool) -> list[Json]:
    """The messages for one turn; none where nothing is left of it. `reasoning`: earlier thoughts go along.

    Raises:
        InvalidRequest: it is malformed, or has what chat completions cannot say.
    """
    role = text(message.get("role"), f"{param}.role")
    content, name = message.get("content"), f"{param}.content"
    if role == "user":
        return _user(content, name)
    if role == "assistant":
        return _assistant(content, name, reasoning=reasoning)
    if role == "system":
        said = _texts(content, name)
        return [{"role": "system", "content": said}] if said else []
    raise unsupported(f"{param}.role", "this role")


def _texts(content: Any, param: str) -> str:
    parts: list[Json] = []
    for name, block in blocks_of(content, param):
        if block.get("type") not in ("text", "tool_addition"):
            raise unsupported(f"{name}.type", "this kind of block in a system prompt")
        parts += parts_of(block, name)
    return joined(parts, between="\n\n")


def _user(content: Any, param: str) -> list[Json]:
    results: list[Json] = []
    shown: list[Json] = []
    rest: list[Json] = []
    for name, block in blocks_of(content, param):
        if block.get("type") == "tool_result":
            result, pieces = _tool_result(block, name)
            results.append(result)
            shown += pieces
        else:
            rest += parts_of(block, name)
    parts = shown + rest
    return [*results, {"role": "user", "content": plain(parts)}] if parts else results


def _tool_result(block: Json, param: str) -> tuple[Json, list[Json]]:
    """The message of a tool, which can be text only, and its other parts, for the user's message that follows."""
    call_id = text(block.get("tool_use_id"), f"{param}.tool_use_id")
    content = block.get("content")
    parts: list[Json] = []
    for name, inner in [] if content is None else blocks_of(content, f"{param}.content"):
        parts += parts_of(inner, name)
    said = joined(parts, between="\n")
    pieces = [part for part in parts if part["type"] != "text"]
    if pieces and not said:
        said = _SHOWN_BELOW  # some providers refuse an empty result
    return {"role": "tool", "tool_call_id": call_id, "content": said}, pieces


def _assistant(content: Any, param: str, *, reasoning: bool) -> list[Json]:
    said: list[str] = []
    thoughts: list[str] = []
    calls: list[Json] = []
    for name, block in blocks_of(content, param):
        kind = block.get("type")
        if kind == "text":
            said.append(text(block.get("text"), f"{name}.text"))
        elif kind == "tool_use":
            calls.append(_call(block, name))
        elif kind == "thinking":
            thoughts.append(text(block.get("thinking"), f"{name}.thinking"))
        elif kind == "compaction":  # it stands for all that was before it
            said.append(optional_text(block.get("content"), f"{name}.content"))
        elif type(kind) is not str or not (kind in _BY_PROVIDER or kind.endswith(_BY_PROVIDER_END)):
            raise unsupported(f"{name}.type", "this kind of block in an assistant's turn")
    return _spoken("".join(said), "".join(thoughts) if reasoning else "", calls)


def _spoken(said: str, thoughts: str, calls: list[Json]) -> list[Json]:
    if not (said or calls):
        return []
    message: Json = {"role": "assistant", "content": said or None}
    if thoughts:
        message["reasoning_content"] = thoughts
    if calls:
        message["tool_calls"] = calls
    return [message]


def _call(block: Json, param: str) -> Json:
    arguments = encoded(optional_object(block.get("input"), f"{param}.input")).decode()
    return {
        "id": text(block.get("id"), f"{param}.id"),
        "type": "function",
        "function": {"name": text(block.get("name"), f"{param}.name"), "arguments": arguments},
    }
