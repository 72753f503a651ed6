"""The messages of a chat as input items of a response.

Items have no ids: one that had would be looked for with the thoughts that led to it, which are kept nowhere.
"""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json, object_in, text_in
from application.wire.errors import InvalidRequest

_ASKING: Final = ("user", "system", "developer")
_CUSTOM: Final = "custom_tool_call"


def input_of(chat: Json) -> list[Json]:
    """The items, in the order of the messages.

    Raises:
        InvalidRequest: a message is malformed, or says what no item can.
    """
    writer = _Writer()
    for index, message in enumerate(fields.objects(chat, "messages")):
        writer.take(message, f"messages[{index}]")
    return writer.items


class _Writer:
    def __init__(self) -> None:
        self.items: list[Json] = []
        self._custom: set[str] = set()  # ids of calls whose input is free text

    def take(self, message: Json, param: str) -> None:
        role = message.get("role")
        if role in _ASKING:
            content = _content(message.get("content"), f"{param}.content")
            self.items.append({"type": "message", "role": role, "content": content})
        elif role == "assistant":
            self._assistant(message, param)
        elif role == "tool":
            self._result(message, param)
        else:
            raise fields.unsupported(f"{param}.role", "is not known to this model's provider")

    def _assistant(self, message: Json, param: str) -> None:
        for name in ("audio", "function_call"):
            if message.get(name) is not None:
                raise fields.unsupported(f"{param}.{name}", "is not known to this model's provider")
        said = _text(message.get("content"), f"{param}.content") + text_in(message, "refusal")
        if said:
            self.items.append({"type": "message", "role": "assistant", "content": said})
        self.items += [
            self._call(call, f"{param}.tool_calls[{index}]")
            for index, call in enumerate(fields.objects(message, "tool_calls"))
        ]

    def _call(self, call: Json, param: str) -> Json:
        custom = call.get("type") == "custom"
        kind, member, item = (
            ("custom", "input", _CUSTOM) if custom else ("function", "arguments", "function_call")
        )
        inner = object_in(call, kind)
        name = fields.text_at(call, "id", param)
        if custom:
            self._custom.add(name)
        named = {each: fields.text_at(inner, each, f"{param}.{kind}") for each in ("name", member)}
        return {"type": item, "call_id": name, **named}

    def _result(self, message: Json, param: str) -> None:
        name = fields.text_at(message, "tool_call_id", param)
        item = _CUSTOM if name in self._custom else "function_call"
        output = _text(message.get("content"), f"{param}.content")
        self.items.append({"type": f"{item}_output", "call_id": name, "output": output})


def _content(content: Any, param: str) -> str | list[Json]:
    if not isinstance(content, list):
        return _text(content, param)
    return [_part(part, f"{param}[{index}]") for index, part in enumerate(_parts(content, param))]


def _parts(content: list[Any], param: str) -> list[Json]:
    for index, part in enumerate(content):
        if not isinstance(part, dict):
            raise fields.wrong_type(f"{param}[{index}]", "an object", part)
    return content


def _part(part: Json, param: str) -> Json:
    match part.get("type"):
        case "text":
            return {"type": "input_text", "text": fields.text_at(part, "text", param)}
        case "image_url":
            image = object_in(part, "image_url")
            url = fields.text_at(image, "url", f"{param}.image_url")
            return {"type": "input_image", "image_url": url, "detail": text_in(image, "detail") or "auto"}
        case "file":
            file = object_in(part, "file")
            known = ("file_data", "file_id", "filename")
            return {"type": "input_file", **{each: file[each] for each in known if each in file}}
    raise fields.unsupported(f"{param}.type", "is a part that this model's provider does not take")


def _text(content: Any, param: str) -> str:
    """What an assistant or a tool said: a string, or parts of text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise fields.wrong_type(param, "a string or an array of parts", content)
    texts: list[str] = []
    for part in _parts(content, param):
        kind = part.get("type")
        if kind not in ("text", "refusal"):
            raise InvalidRequest("unsupported_value", f"{param}.type", f"'{param}' must be text here.")
        texts.append(text_in(part, kind))
    return "".join(texts)
