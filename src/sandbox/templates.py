"""Responses prepared once and sent often: the bytes of a whole answer with slots for its id and its time.

A template is an ordinary answer rendered with an id and a time that no other answer holds; sending replaces both.
"""

import secrets
import time
from typing import Any, Final

import msgspec

from sandbox import chat
from sandbox.answer import ChatAnswer, event_bytes
from sandbox.calls import Call
from sandbox.chat import Plan, Stamp
from sandbox.lru import Lru
from sandbox.messages import LAST_FRAME, SSE, frame, head, plain
from sandbox.tokens import Tokens

PREPARED_MAX: Final = 512
BYTES_MAX: Final = 64 * 1024
CHUNKS_MAX: Final = 256
TOKENS_MAX: Final = 8_192
ID_CHARS: Final = 20
_CREATED_SLOT: Final = 9_999_999_999


class Prepared(msgspec.Struct, frozen=True):
    """A response but for its id and time; no template if it has a delay or a fault, or is large."""

    template: bytes | None
    usage: dict[str, Any]
    reported: Any
    tokens: int


class Kept(msgspec.Struct, frozen=True):
    call: Call
    prepared: Prepared


class Templates:
    def __init__(self) -> None:
        self._prepared: Lru[bytes, Prepared] = Lru(PREPARED_MAX)
        self._slot = Stamp(secrets.token_hex(ID_CHARS // 2), _CREATED_SLOT)
        self._id = self._slot.id.encode()
        # With its key: inside any JSON string the quotes would be escaped.
        self._created = b'"created":%d' % _CREATED_SLOT

    def keep(self, call: Call, tokens: Tokens) -> Kept:
        """Prepare what can be prepared of the answer to `call`, once for all calls that differ in `ref` only."""
        if call.echo is not None:
            return Kept(call, self._prepare(call, tokens))
        key = msgspec.msgpack.encode(msgspec.structs.replace(call, ref=None))
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepare(call, tokens)
            self._prepared.put(key, prepared)
        return Kept(call, prepared)

    def _prepare(self, call: Call, tokens: Tokens) -> Prepared:
        made = chat.plan(call, call.script, tokens)
        usage = made.usage
        reported = usage if call.include_usage or not call.stream else None
        return Prepared(self._template(made), usage, reported, usage["completion_tokens"])

    def _template(self, made: Plan) -> bytes | None:
        script = made.call.script
        if script.fault is not None or script.first_byte_ms is not None or script.chunk_ms is not None:
            return None
        chunks = sum(len(choice.chunks) for choice in made.choices) if made.call.stream else 0
        if chunks > CHUNKS_MAX or made.usage["completion_tokens"] > TOKENS_MAX:
            return None
        whole = self._rendered(ChatAnswer(made, self._slot, script))
        return whole if len(whole) <= BYTES_MAX else None

    def _rendered(self, answer: ChatAnswer) -> bytes:
        if not answer.stream:
            return plain(200, msgspec.json.encode(answer.whole()), id_=self._slot.id)
        frames = b"".join(frame(event_bytes(event)) for event in answer.events())
        return head(200, [*SSE, ("transfer-encoding", "chunked")], id_=self._slot.id) + frames + LAST_FRAME

    def stamped(self, template: bytes, id_: str) -> bytes:
        """The response for the wire. `id_` has `ID_CHARS` characters, as the lengths in the template assume."""
        created = b'"created":%d' % int(time.time())
        return template.replace(self._id, id_.encode()).replace(self._created, created)
