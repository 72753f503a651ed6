"""The messages of a chat as `contents` and `systemInstruction`.

System and developer messages are joined, wherever they stand. Neighbours of one role become one content; answers of
functions come first in theirs, and carry the name that their call had. Thoughts are not sent back; signatures are, as
`extra_content.google.thought_signature` of a tool call or of a message, the shape of Google's own OpenAI-compatible path.

A client that drops signatures would be refused by models that want them. There the first call of a message that has
none gets the placeholder that Google documents for calls that the model did not make itself, `skip_thought_signature_validator`, in base64
as the recorded requests have it. The model then lacks its thoughts about that call, and nothing else.
"""

from typing import Any, Final

import msgspec

from application.dialects.gemini.checks import mapping, name, sequence, text, unsupported, wrong_value
from application.dialects.gemini.media import part_of
from application.dialects.gemini.traits import NO_CALL_IDS, NO_SYSTEM, THOUGHT_SIGNATURES
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

PLACEHOLDER_SIGNATURE: Final = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
_SYSTEM: Final = ("system", "developer")
_BLANK: Final[Json] = {"text": " "}
"""A turn that has to be there and has nothing to say."""
_decode: Final = msgspec.json.Decoder().decode


class Conversation(msgspec.Struct, frozen=True):
    contents: list[Json]
    system: list[Json]  #: parts


def conversation(chat: Json, target: Target) -> Conversation:
    """Translate `messages`.

    Raises:
        InvalidRequest: a message is malformed, or holds what Gemini has no way to say.
    """
    turns = _Turns(target)
    for index, message in enumerate(sequence(chat.get("messages"), "messages")):
        param = f"messages[{index}]"
        turns.add(mapping(message, param), param)
    return turns.finished()


class _Turns:
    """Gathers contents in order."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._contents: list[Json] = []
        self._system: list[Json] = []
        self._names: dict[str, str] = {}  # of functions, by the ids of their calls

    def add(self, message: Json, param: str) -> None:
        role = message.get("role")
        if role in _SYSTEM:
            self._system += self._texts(message.get("content"), f"{param}.content")
        elif role == "user":
            self._say("user", self._parts(message.get("content"), f"{param}.content"))
        elif role == "assistant":
            self._say("model", self._spoken(message, param))
        elif role == "tool":
            self._say("user", [self._answered(message, param)])
        else:
            raise wrong_value(f"{param}.role", "is not a role that this model takes")

    def finished(self) -> Conversation:
        contents, system = self._contents, self._system
        if system and (NO_SYSTEM in self._target.traits or not contents):
            self._lead(system)
            system = []
        if not contents:
            raise wrong_value("messages", "must have a message with content")
        if contents[0]["role"] != "user":
            contents.insert(0, {"role": "user", "parts": [_BLANK]})
        for content in contents:
            # Responses in the order of their calls, then what the user says to them.
            content["parts"].sort(key=lambda part: "functionResponse" not in part)
        return Conversation(contents, system)

    def _lead(self, parts: list[Json]) -> None:
        """Put `parts` before everything that the user says."""
        if self._contents and self._contents[0]["role"] == "user":
            self._contents[0]["parts"][:0] = parts
        else:
            self._contents.insert(0, {"role": "user", "parts": parts})

    def _say(self, role: str, parts: list[Json]) -> None:
        if not parts:
            return
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})

    def _parts(self, content: Any, param: str) -> list[Json]:
        if type(content) is str:
            return [{"text": content}] if content else []
        if type(content) is not list:
            raise InvalidRequest("invalid_type", param, f"'{param}' must be a string or an array of parts.")
        parts = [part_of(part, f"{param}[{index}]", self._target) for index, part in enumerate(content)]
        return [part for part in parts if part is not None]

    def _texts(self, content: Any, param: str) -> list[Json]:
        parts = self._parts(content, param)
        if any("text" not in part for part in parts):
            raise unsupported(param, "must be text")
        return parts

    # --- assistant

    def _spoken(self, message: Json, param: str) -> list[Json]:
        if message.get("function_call") is not None:
            raise unsupported(f"{param}.function_call", "is deprecated; use 'tool_calls'")
        if message.get("audio") is not None:
            raise unsupported(
                f"{param}.audio", "names an earlier spoken answer, which this model does not have"
            )
        parts = self._said(message.get("content"), f"{param}.content")
        if message.get("refusal"):
            parts.append({"text": text(message["refusal"], f"{param}.refusal")})
        signature = _signature(message, param)
        if signature is not None:
            parts = parts or [{"text": ""}]
            parts[-1] = {**parts[-1], "thoughtSignature": signature}
        return parts + self._calls(message.get("tool_calls"), f"{param}.tool_calls")

    def _said(self, content: Any, param: str) -> list[Json]:
        if content is None:
            return []
        if type(content) is list:
            content = [_as_text(part) for part in content]
        return self._texts(content, param)

    def _calls(self, calls: Any, param: str) -> list[Json]:
        if calls is None:
            return []
        parts = [
            self._call(mapping(call, f"{param}[{index}]"), f"{param}[{index}]")
            for index, call in enumerate(sequence(calls, param))
        ]
        # Of calls made together only the first is signed.
        if parts and THOUGHT_SIGNATURES in self._target.traits:
            parts[0].setdefault("thoughtSignature", PLACEHOLDER_SIGNATURE)
        return parts

    def _call(self, call: Json, param: str) -> Json:
        if call.get("type", "function") != "function":
            raise unsupported(f"{param}.type", "must be 'function' for this model")
        function = mapping(call.get("function"), f"{param}.function")
        called: Json = {
            "name": name(function.get("name"), f"{param}.function.name"),
            "args": _arguments(function.get("arguments"), f"{param}.function.arguments"),
        }
        call_id = name(call.get("id"), f"{param}.id")
        self._names[call_id] = called["name"]
        if NO_CALL_IDS not in self._target.traits:
            called["id"] = call_id
        part: Json = {"functionCall": called}
        signature = _signature(call, param)
        if signature is not None:
            part["thoughtSignature"] = signature
        return part

    # --- tools

    def _answered(self, message: Json, param: str) -> Json:
        call_id = name(message.get("tool_call_id"), f"{param}.tool_call_id")
        called = self._names.get(call_id)
        if called is None:
            raise wrong_value(f"{param}.tool_call_id", "names no tool call of an earlier message")
        texts = self._texts(message.get("content"), f"{param}.content")
        response: Json = {"name": called, "response": _response("".join(part["text"] for part in texts))}
        if NO_CALL_IDS not in self._target.traits:
            response["id"] = call_id
        return {"functionResponse": response}


def _as_text(part: Any) -> Any:
    """A refusal that is a part reads as text."""
    if type(part) is dict and part.get("type") == "refusal":
        return {"type": "text", "text": part.get("refusal")}
    return part


def _arguments(arguments: Any, param: str) -> Json:
    written = "" if arguments is None else text(arguments, param)
    if not written.strip():
        return {}
    read = _json(written)
    if type(read) is not dict:
        raise wrong_value(param, "must be a JSON object in a string")
    return read


def _response(said: str) -> Json:
    """A function's answer has to be an object; what is none goes under `result`, as text."""
    read = _json(said) if said.lstrip()[:1] == "{" else None
    return read if type(read) is dict else {"result": said}


def _json(written: str) -> Any:
    try:
        return _decode(written)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _signature(holder: Json, param: str) -> str | None:
    param = f"{param}.extra_content"
    extra = holder.get("extra_content")
    if extra is None:
        return None
    google = mapping(extra, param).get("google")
    if google is None:
        return None
    signature = mapping(google, f"{param}.google").get("thought_signature")
    if signature is None:
        return None
    return name(signature, f"{param}.google.thought_signature")
