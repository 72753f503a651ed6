"""Translates the input items of a responses request into chat messages.

Owns the order: calls join the assistant message before them, pictures in a tool's output follow its run of outputs as a
user message, and readable reasoning goes with the assistant message after it (some providers require it back).
"""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json, objects_in, text_in
from application.wire.errors import InvalidRequest

_ROLES: Final = ("user", "assistant", "system", "developer")
_TEXTS: Final = ("input_text", "output_text", "text", "summary_text", "reasoning_text")


def messages_of(request: Json) -> list[Json]:
    """The messages for `instructions` and `input`.

    Raises:
        InvalidRequest: they are malformed, or have no equal in chat completions.
    """
    writer = _Messages()
    instructions = fields.optional_text(request, "instructions")
    if instructions:
        writer.messages.append({"role": "system", "content": instructions})
    items = request.get("input")
    if items is None:
        raise fields.missing("input")
    if isinstance(items, str):
        writer.messages.append({"role": "user", "content": items})
        return writer.messages
    if not isinstance(items, list):
        raise fields.wrong_type("input", "a string or an array of objects", items)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise fields.wrong_type(f"input[{index}]", "an object", item)
        writer.add(item, f"input[{index}]")
    messages = writer.finished()
    if not messages:
        raise InvalidRequest("empty_array", "input", "'input' must have at least one message.")
    return messages


class _Messages:
    """The messages so far, and what waits for the next."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self._thought = ""
        self._pictures: list[Json] = []

    def add(self, item: Json, name: str) -> None:
        kind = item.get("type", "message")
        if kind in ("function_call_output", "custom_tool_call_output"):
            self._output(item, name)
            return
        self._show_pictures()
        if kind == "message":
            self._message(item, name)
        elif kind in ("function_call", "custom_tool_call"):
            self._call(item, name, custom=kind == "custom_tool_call")
        elif kind == "reasoning":
            parts = objects_in(item, "content") or objects_in(item, "summary")
            self._thought += "".join(text_in(part, "text") for part in parts)
        else:
            raise fields.unsupported(f"{name}.type", "is an item that this model's provider does not take")

    def finished(self) -> list[Json]:
        self._show_pictures()
        return self.messages

    def _message(self, item: Json, name: str) -> None:
        role = item.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise InvalidRequest("invalid_value", f"{name}.role", f"'{name}.role' is not a role.")
        if role == "assistant":
            self.messages.append(self._assistant(item, name))
        else:
            self.messages.append({"role": role, "content": _content(item.get("content"), f"{name}.content")})

    def _assistant(self, item: Json, name: str) -> Json:
        content = item.get("content")
        refusal = ""
        if isinstance(content, list):
            refusal = "".join(
                text_in(part, "refusal")
                for part in objects_in(item, "content")
                if part.get("type") == "refusal"
            )
            said = [
                part for part in content if not (isinstance(part, dict) and part.get("type") == "refusal")
            ]
            text = _text_only(said, f"{name}.content")
        else:
            text = fields.text_at(item, "content", name)
        message: Json = {"role": "assistant", "content": text}
        if refusal:
            message |= {"refusal": refusal, "content": text or None}
        return self._with_thought(message)

    def _call(self, item: Json, name: str, *, custom: bool) -> None:
        kind, member = ("custom", "input") if custom else ("function", "arguments")
        for required in ("call_id", "name", member):
            if type(item.get(required)) is not str:
                raise InvalidRequest(
                    "invalid_type", f"{name}.{required}", f"'{name}.{required}' must be a string."
                )
        if self._thought or not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append(self._with_thought({"role": "assistant", "content": None}))
        self.messages[-1].setdefault("tool_calls", []).append(
            {"id": item["call_id"], "type": kind, kind: {"name": item["name"], member: item[member]}}
        )

    def _output(self, item: Json, name: str) -> None:
        if type(item.get("call_id")) is not str:
            raise fields.missing(f"{name}.call_id")
        output = item.get("output")
        if isinstance(output, list):
            parts = _parts(output, f"{name}.output")
            self._pictures += [part for part in parts if part["type"] != "text"]
            output = "".join(part["text"] for part in parts if part["type"] == "text")
        elif not isinstance(output, str):
            raise fields.wrong_type(f"{name}.output", "a string or an array", output)
        self.messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": output})

    def _show_pictures(self) -> None:
        if self._pictures:
            self.messages.append({"role": "user", "content": self._pictures})
            self._pictures = []

    def _with_thought(self, message: Json) -> Json:
        if self._thought:
            message["reasoning_content"] = self._thought
            self._thought = ""
        return message


def _content(content: Any, name: str) -> str | list[Json]:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise fields.wrong_type(name, "a string or an array", content)
    return _parts(content, name)


def _text_only(content: list[Any], name: str) -> str:
    parts = _parts(content, name)
    if any(part["type"] != "text" for part in parts):
        raise fields.unsupported(name, "of an assistant must be text")
    return "".join(part["text"] for part in parts)


def _parts(content: list[Any], name: str) -> list[Json]:
    parts: list[Json] = []
    for index, part in enumerate(content):
        if not isinstance(part, dict):
            raise fields.wrong_type(f"{name}[{index}]", "an object", part)
        parts.append(_part(part, f"{name}[{index}]"))
    return parts


def _part(part: Json, name: str) -> Json:
    kind = part.get("type")
    if kind in _TEXTS:
        return {"type": "text", "text": fields.text_at(part, "text", name)}
    if kind == "input_image":
        image = {"url": fields.text_at(part, "image_url", name)}
        if isinstance(part.get("detail"), str):
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}
    if kind == "input_file" and part.get("file_data") is not None:
        file = {"file_data": fields.text_at(part, "file_data", name)}
        if isinstance(part.get("filename"), str):
            file["filename"] = part["filename"]
        return {"type": "file", "file": file}
    if kind == "input_audio" and isinstance(part.get("input_audio"), dict):
        return {"type": "input_audio", "input_audio": part["input_audio"]}
    raise fields.unsupported(f"{name}.type", "is a part that this model's provider does not take")
