"""The messages of a chat as system blocks and turns.

Owns the rules that Messages have about order: turns alternate, a user begins, all results of a turn's tool calls stand
in the one user turn that follows, before anything else, and every call has one result. What an OpenAI client may send
otherwise is brought into that order; what has none is refused.
"""

from typing import Any, Final

import msgspec

from application.dialects.anthropic.upstream.calls import CallIds, tool_use
from application.dialects.anthropic.upstream.content import blocks_of, thinking_blocks
from application.dialects.anthropic.upstream.notes import (
    Notes,
    list_of,
    object_of,
    text_at,
    unsupported,
    wrong_type,
)
from application.dialects.port import Json
from application.wire.errors import InvalidRequest

_OPENING: Final[Json] = {"role": "user", "content": [{"type": "text", "text": "(start)"}]}
"""Stands before an assistant's greeting, with which a chat may begin and Messages may not."""


class Conversation(msgspec.Struct, frozen=True):
    """`system` and `messages` of the request."""

    system: list[Json]
    turns: list[Json]

    @property
    def is_prefilled(self) -> bool:
        """The model is to go on with an answer that the client began."""
        return bool(self.turns[-1]["role"] == "assistant")


def conversation(messages: list[Any], notes: Notes, *, system_turns: bool) -> Conversation:
    """Translate the messages. `system_turns`: the model takes a system message after a user turn.

    Raises:
        InvalidRequest: one is malformed, says what blocks cannot, or tool calls and their results do not match.
    """
    writer = _Writer(notes, system_turns=system_turns)
    for index, message in enumerate(messages):
        writer.take(object_of(message, f"messages[{index}]"), f"messages[{index}]")
    return writer.finish()


class _Writer:
    def __init__(self, notes: Notes, *, system_turns: bool) -> None:
        self._notes = notes
        self._system_turns = system_turns
        self._system: list[Json] = []
        self._turns: list[Json] = []
        self._ids = CallIds()
        self._begun = False  # something other than a system message came
        self._results: list[Json] = []  # of the user turn that is being gathered, with the two below
        self._said: list[Json] = []
        self._late: list[Json] = []

    def take(self, message: Json, param: str) -> None:
        role = message.get("role")
        if message.get("name") is not None:
            self._notes.drop("name")
        if role in ("system", "developer"):
            self._take_system(message, param)
            return
        self._begun = True
        if role == "user":
            self._said += blocks_of(message, param, self._notes, media=True)
        elif role == "assistant":
            self._end_user_turn()
            self._take_assistant(message, param)
        elif role == "tool":
            self._results.append(self._result(message, param))
        else:
            raise unsupported(f"{param}.role", "it does not know this role")

    def finish(self) -> Conversation:
        self._end_user_turn()
        if not self._turns:
            if not self._system:
                raise InvalidRequest("invalid_value", "messages", "No message in 'messages' says anything.")
            return Conversation([], [{"role": "user", "content": self._system}])
        if self._turns[0]["role"] == "assistant":
            self._turns.insert(0, _OPENING)
        return Conversation(self._system, self._turns)

    # --- messages

    def _take_system(self, message: Json, param: str) -> None:
        blocks = blocks_of(message, param, self._notes, media=False)
        if not self._begun:
            self._system += blocks
        elif self._system_turns:
            self._late += blocks
        else:
            self._said += blocks

    def _take_assistant(self, message: Json, param: str) -> None:
        if message.get("audio") is not None:
            raise unsupported(f"{param}.audio", "it knows nothing of earlier speech")
        if message.get("function_call") is not None:
            raise unsupported(f"{param}.function_call", "use tool_calls")
        blocks = thinking_blocks(message, param, self._notes)
        blocks += blocks_of(message, param, self._notes, media=False)
        refusal = message.get("refusal")
        if type(refusal) is str and refusal.strip():
            blocks.append({"type": "text", "text": refusal})
        calls = message.get("tool_calls")
        place = f"{param}.tool_calls"
        self._ids.begin(place)
        for index, call in enumerate(list_of(calls, place) if calls is not None else ()):
            at = f"{place}[{index}]"
            block = tool_use(object_of(call, at), at, self._ids)
            self._notes.mark(block, call, at)
            blocks.append(block)
        self._add("assistant", blocks)

    def _result(self, message: Json, param: str) -> Json:
        call_id = text_at(message, "tool_call_id", param)
        result: Json = {"type": "tool_result", "tool_use_id": self._ids.answered(call_id, param)}
        content = blocks_of(message, param, self._notes, media=True)
        for block in content:  # inside a result nothing can be marked but the result
            control = block.pop("cache_control", None)
            if control is not None:
                result["cache_control"] = control
        if content:
            result["content"] = content
        failed = message.get("is_error")
        if type(failed) not in (bool, type(None)):
            raise wrong_type(f"{param}.is_error", "a boolean")
        if failed:
            result["is_error"] = True
        return result

    # --- turns

    def _end_user_turn(self) -> None:
        self._ids.check_all_answered()
        blocks, late = self._results + self._said, self._late
        self._results, self._said, self._late = [], [], []
        if not blocks:
            blocks, late = late, []  # a system message may only follow a user
        self._add("user", blocks)
        self._add("system", late)

    def _add(self, role: str, blocks: list[Json]) -> None:
        if not blocks:
            return
        if self._turns and self._turns[-1]["role"] == role:
            self._turns[-1]["content"] += blocks
        else:
            self._turns.append({"role": role, "content": blocks})
