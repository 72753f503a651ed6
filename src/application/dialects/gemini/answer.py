"""Reads responses of `generateContent`, one or the many of a stream, as one answer.

Owns what holds for an answer as a whole: its id, its candidates, whether its prompt was blocked, and its usage, of which
the latest counts.
"""

import hashlib
import json
import re
from typing import Any, Final
from uuid import uuid4

import msgspec

from application.dialects.gemini.choice import CallIds, Choice
from application.dialects.gemini.encoding import written
from application.dialects.port import Json
from application.wire.chunk import NOT_JSON, as_utf8
from application.wire.spoken import Spoken

CHOICES_MAX: Final = 128
USAGE_MEMBERS_MAX: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,40}", re.ASCII)
_TIERS: Final = {"standard": "default", "flex": "flex", "priority": "priority"}
_UNBLOCKED: Final = (None, "", 0, "BLOCKED_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED")
_PLAIN: Final = re.compile(r"[A-Z_]{1,64}", re.ASCII)
_decode: Final = msgspec.json.Decoder().decode


class Said(msgspec.Struct, frozen=True):
    """What one candidate says in one response."""

    choice: Choice
    began: bool  #: it had said nothing before
    delta: Json
    logprobs: Json | None


class Answer:
    """One answer as it is read. Memory is constant but for a call that comes in pieces, which is bounded."""

    def __init__(self) -> None:
        self.spoken = Spoken()
        self.choices: dict[int, Choice] = {}
        self.blocked: str | None = None  #: the refusal of a prompt that was blocked
        self.usage: Json = {}
        self._ids = CallIds()

    @property
    def answer_id(self) -> str:
        """The id for clients, known with the first response."""
        self._name(None)
        return f"chatcmpl-{self._ids.answer_id}"

    @property
    def service_tier(self) -> str | None:
        tier = self.usage.get("serviceTier")
        return _TIERS.get(tier.lower()) if type(tier) is str else None

    @property
    def usage_raw(self) -> bytes | None:
        return written(self.usage) if self.usage else None

    def take(self, response: Json) -> list[Said]:
        """Read one response; what its candidates say, in order."""
        self._name(response.get("responseId"))
        self._count(response.get("usageMetadata"))
        feedback = response.get("promptFeedback")
        if type(feedback) is dict and feedback.get("blockReason") not in _UNBLOCKED:
            self.blocked = _refusal(feedback["blockReason"])
        candidates = response.get("candidates")
        said: list[Said] = []
        for place, candidate in enumerate(candidates if type(candidates) is list else ()):
            if type(candidate) is dict:
                self._say(candidate, place, said)
        return said

    def _say(self, candidate: Json, place: int, said: list[Said]) -> None:
        index = candidate.get("index", place)
        if type(index) is not int or not 0 <= index < CHOICES_MAX:
            return
        choice = self.choices.get(index)
        began = choice is None
        if choice is None:
            choice = self.choices[index] = Choice(index, self._ids, self.spoken)
        delta, logprobs = choice.take(candidate)
        said.append(Said(choice, began, delta, logprobs))

    def _name(self, response_id: Any) -> None:
        if self._ids.answer_id:
            return
        if type(response_id) is not str or not response_id:
            self._ids.answer_id = uuid4().hex[:24]
        elif _ID.fullmatch(response_id):
            self._ids.answer_id = response_id
        else:
            self._ids.answer_id = hashlib.sha256(response_id.encode("utf-8", "replace")).hexdigest()[:24]

    def _count(self, usage: Any) -> None:
        """The latest counts. One with a total stands alone: what it leaves out is zero (recorded); others add to it."""
        if type(usage) is not dict:
            return
        told = {name: value for name, value in usage.items() if value is not None}
        complete = "totalTokenCount" in told or len(self.usage) > USAGE_MEMBERS_MAX
        self.usage = told if complete else {**self.usage, **told}


def readable(payload: bytes) -> Any:
    """The JSON in `payload` with sound text, however loosely written; `None` if there is none. Never raises."""
    payload = as_utf8(payload)
    try:
        return _decode(payload)
    except NOT_JSON:
        pass
    try:
        return _sound(json.loads(payload))
    except (ValueError, RecursionError):
        return None


def _sound(value: Any) -> Any:
    """`value` without lone surrogates, which no encoder takes."""
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    if type(value) is list:
        return [_sound(item) for item in value]
    if type(value) is dict:
        return {_sound(name): _sound(item) for name, item in value.items()}
    return value


def _refusal(reason: Any) -> str:
    plain = type(reason) is str and _PLAIN.fullmatch(reason)
    return f"The provider blocked the prompt ({reason})." if plain else "The provider blocked the prompt."
