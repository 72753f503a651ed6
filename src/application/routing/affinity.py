"""Keeps the requests of one conversation with one deployment, so that a provider's prompt cache serves them.

Nothing is remembered: what makes a conversation is hashed into the draw that the plan is made with. So all processes
agree, nothing expires, and health or a changed route moves a conversation only if its deployment is out.
"""

import hashlib
from typing import Final

import msgspec

from application.speech.port import Asking

SESSION_HEADER: Final = b"x-session-id"
_FIRST_MESSAGES: Final = 2  # what a system prompt and a first question are; the rest grows with each turn
_encode: Final = msgspec.json.Encoder().encode
_RANGE: Final = 2**53


def draw_of(account: bytes, conversation: bytes) -> float:
    """A number in [0, 1), the same for the same conversation of an account and even over all."""
    digest = hashlib.blake2b(conversation, digest_size=8, key=account[:64]).digest()
    return (int.from_bytes(digest, "big") >> 11) / _RANGE


def conversation_of(asking: Asking) -> bytes:
    """What makes a conversation: the client's name for it, or else the beginning of what is said."""
    for name, value in asking.headers:
        if name == SESSION_HEADER:
            return value
    document = asking.document()
    key = document.get("prompt_cache_key")
    if isinstance(key, str):
        return key.encode("utf-8", "surrogatepass")
    said = document.get("messages") or document.get("input") or document.get("prompt")
    first = said[:_FIRST_MESSAGES] if isinstance(said, list) else said
    return _encode([document.get("system"), document.get("instructions"), first])
