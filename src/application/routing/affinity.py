"""Keeps the requests of one conversation with one deployment, so that a provider's prompt cache serves them.

Nothing is remembered: what makes a conversation is hashed into the draw that the plan is made with. So all processes
agree, nothing expires, and health or a changed route moves a conversation only if its deployment is out.
"""

import hashlib
from typing import Final

_RANGE: Final = 2**53


def draw_of(account: bytes, conversation: bytes) -> float:
    """A number in [0, 1), the same for the same conversation of an account and even over all."""
    digest = hashlib.blake2b(conversation, digest_size=8, key=account[:64]).digest()
    return (int.from_bytes(digest, "big") >> 11) / _RANGE
