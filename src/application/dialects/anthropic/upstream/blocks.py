"""The blocks of a stream: what each kind of delta says in a chat completion's delta.

Entries of `thinking_blocks` carry an `index`: the SDKs put lists of a stream together by it, and fail without.
"""

from typing import Any

from application.dialects.anthropic.upstream.shape import as_json, text_of
from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.dialects.port import Json
from application.wire.spoken import Spoken


class Block:
    """A block of which nothing is told: what the provider ran by itself, and kinds that are not known.

    What the model generated for it is gathered all the same, since it is charged.
    """

    is_call = False
    is_thought = False

    def __init__(self, content: Json) -> None:
        self._content = content

    def begin(self, spoken: Spoken) -> Json | None:
        """What the start of the block says."""
        spoken.add(text_of(self._content, "name"))
        return None

    def take(self, delta: Any, spoken: Spoken) -> Json | None:
        """What one delta says."""
        spoken.add(text_of(delta, "partial_json") or text_of(delta, "content"))
        return None

    def end(self) -> Json | None:
        """What was left for the end of the block."""
        return None


class _Text(Block):
    def begin(self, spoken: Spoken) -> Json | None:
        return self._told(text_of(self._content, "text"), spoken)

    def take(self, delta: Any, spoken: Spoken) -> Json | None:
        return self._told(text_of(delta, "text"), spoken)

    def _told(self, text: str, spoken: Spoken) -> Json | None:
        spoken.add(text)
        return {"content": text} if text else None


class _Thinking(Block):
    is_thought = True

    def __init__(self, content: Json, index: int) -> None:
        super().__init__(content)
        self._index = index

    def begin(self, spoken: Spoken) -> Json | None:
        return self._told(self._content, spoken)

    def take(self, delta: Any, spoken: Spoken) -> Json | None:
        return self._told(delta, spoken)

    def _told(self, piece: Any, spoken: Spoken) -> Json | None:
        thought, signature = text_of(piece, "thinking"), text_of(piece, "signature")
        spoken.add(thought)
        entry: Json = {"index": self._index, "type": "thinking"}
        if signature:
            entry["signature"] = signature
        if thought:
            entry["thinking"] = thought
            return {"reasoning_content": thought, "thinking_blocks": [entry]}
        return {"thinking_blocks": [entry]} if signature else None


class _Redacted(Block):
    is_thought = True

    def __init__(self, content: Json, index: int) -> None:
        super().__init__(content)
        self._index = index

    def begin(self, spoken: Spoken) -> Json | None:  # noqa: ARG002  nothing of it can be read
        data = text_of(self._content, "data")
        return {"thinking_blocks": [{"index": self._index, "type": "redacted_thinking", "data": data}]}


class _Call(Block):
    """A call of a client's tool. Its arguments come in fragments, whole with its start, or not at all: then `{}`."""

    is_call = True

    def __init__(self, content: Json, index: int) -> None:
        super().__init__(content)
        self._index = index
        self._begun = False

    def begin(self, spoken: Spoken) -> Json | None:
        name = text_of(self._content, "name")
        spoken.add(name)
        call_id = text_of(self._content, "id") or f"call_{self._index}"
        return self._told({"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}})

    def take(self, delta: Any, spoken: Spoken) -> Json | None:
        fragment = text_of(delta, "partial_json")
        if not fragment:
            return None
        self._begun = True
        spoken.add(fragment)
        return self._arguments(fragment)

    def end(self) -> Json | None:
        return None if self._begun else self._arguments(as_json(self._content.get("input")))

    def _arguments(self, text: str) -> Json:
        return self._told({"function": {"arguments": text}})

    def _told(self, call: Json) -> Json:
        return {"tool_calls": [{"index": self._index} | call]}


class _Answer(_Call):
    """The call of the tool that takes the answer: its arguments are the content."""

    is_call = False

    def begin(self, spoken: Spoken) -> Json | None:  # noqa: ARG002  its name is ours
        return None

    def _arguments(self, text: str) -> Json:
        return {"content": text}


def opened(content: Any, *, call: int, thought: int) -> Block:
    """The block that begins with `content`; `call` and `thought` are the next indices of each."""
    members: Json = content if type(content) is dict else {}
    match members.get("type"):
        case "text":
            return _Text(members)
        case "thinking":
            return _Thinking(members, thought)
        case "redacted_thinking":
            return _Redacted(members, thought)
        case "tool_use":
            if members.get("name") == ANSWER_TOOL:
                return _Answer(members, call)
            return _Call(members, call)
    return Block(members)
