"""Reads one candidate of an answer, piece by piece, as what a chat delta says.

Thoughts become `reasoning_content`; function calls get an index of their own and an id if they have none; their signatures,
and that of the text, go into `extra_content`; images into `images` as data URLs. What the provider's own tools did (code
it ran, searches) is no call for the client, and is left out.
"""

from typing import Any

from application.dialects.gemini.encoding import written
from application.dialects.gemini.finish import finish_reason, native_reason
from application.dialects.gemini.logprobs import chat_logprobs
from application.dialects.gemini.partial_call import PartialCall
from application.dialects.port import Json
from application.wire.spoken import Spoken


class CallIds:
    """Ids for calls that come without: of one answer all different, and different from those of other answers."""

    def __init__(self) -> None:
        self.answer_id = ""
        self._count = 0

    def mint(self) -> str:
        self._count += 1
        return f"call_{self.answer_id}_{self._count}"


class Choice:
    """One candidate as it is read."""

    def __init__(self, index: int, ids: CallIds, spoken: Spoken) -> None:
        self.index = index
        self.broken = False  #: a call in pieces could not be put together
        self._native: str | None = None
        self._ids = ids
        self._say = spoken.add
        self._calls = 0
        self._spoke = False
        self._open: PartialCall | None = None

    @property
    def ended(self) -> bool:
        return self._native is not None

    @property
    def reason(self) -> str | None:
        """Why it ended, in chat's words; `None` if it did not, or is broken and empty."""
        if self._native is None or self.broken:
            return None
        return finish_reason(self._native, called=self._calls > 0, spoke=self._spoke)

    def take(self, candidate: Json) -> tuple[Json, Json | None]:
        """What a candidate in one response says: a delta without role, empty if nothing, and its log probabilities."""
        delta: Json = {}
        content = candidate.get("content")
        parts = content.get("parts") if type(content) is dict else None
        for part in parts if type(parts) is list else ():
            if type(part) is dict:
                self._part(part, delta)
        native = native_reason(candidate.get("finishReason"))
        if native is not None:
            self._native = native
            self._close(delta)
        return delta, chat_logprobs(candidate.get("logprobsResult"))

    def _part(self, part: Json, delta: Json) -> None:
        signature = part.get("thoughtSignature")
        signature = signature if type(signature) is str and signature else None
        if type(part.get("functionCall")) is dict:
            self._function(part["functionCall"], signature, delta)
        elif type(part.get("inlineData")) is dict:
            if part.get("thought") is not True:  # a sketch on the way to the picture
                self._inline(part["inlineData"], delta)
        elif type(part.get("text")) is str:
            self._text(part["text"], delta, thought=part.get("thought") is True)
            if signature is not None and part.get("thought") is not True:
                delta["extra_content"] = _google(signature)

    def _text(self, said: str, delta: Json, *, thought: bool) -> None:
        if not said:
            return
        name = "reasoning_content" if thought else "content"
        delta[name] = delta.get(name, "") + said
        self._spoke |= not thought
        self._say(said)

    def _inline(self, data: Json, delta: Json) -> None:
        kind, content = data.get("mimeType"), data.get("data")
        if type(kind) is not str or type(content) is not str or not kind.startswith("image/"):
            return
        self._spoke = True
        image = {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{content}"}}
        delta.setdefault("images", []).append(image)

    # --- function calls

    def _function(self, call: Json, signature: str | None, delta: Json) -> None:
        more = call.get("willContinue") is True
        if self._open is None or type(call.get("name")) is str:
            self._close(delta)
            if type(call.get("name")) is not str:
                return  # the empty end of a call that has ended already
            if not more and "partialArgs" not in call:
                self._called(call, call.get("args"), signature, delta)
                return
            self._open = PartialCall({**call, "thoughtSignature": signature})
        self._open.add(call.get("partialArgs"))
        if not more:
            self._close(delta)

    def _close(self, delta: Json) -> None:
        """A call in pieces has ended: now it is said as a whole."""
        call, self._open = self._open, None
        if call is not None:
            self.broken |= call.broken
            self._called(call.first, call.args, call.first["thoughtSignature"], delta)

    def _called(self, call: Json, args: Any, signature: str | None, delta: Json) -> None:
        call_id = call.get("id")
        encoded = written(args if type(args) is dict else {})
        self.broken |= encoded is None
        arguments = (encoded or b"{}").decode()
        said: Json = {
            "index": self._calls,
            "id": call_id if type(call_id) is str and call_id else self._ids.mint(),
            "type": "function",
            "function": {"name": call["name"], "arguments": arguments},
        }
        if signature is not None:
            said["extra_content"] = _google(signature)
        delta.setdefault("tool_calls", []).append(said)
        self._calls += 1
        self._spoke = True
        self._say(call["name"] + arguments)


def _google(signature: str) -> Json:
    return {"google": {"thought_signature": signature}}
