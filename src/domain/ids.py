"""Identifiers: time-ordered UUIDs (version 7, RFC 9562) made in Python, so that any Postgres will do.

Time-ordered ids keep the primary-key index of the event table warm (`docs/adr`).
"""

import os
import time
from uuid import UUID, uuid5

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM_B_MASK = (1 << 62) - 1


def uuid7(*, unix_ms: int | None = None, random: bytes | None = None) -> UUID:
    """A version 7 UUID: 48 bits of milliseconds, 74 random bits. Arguments are for tests."""
    milliseconds = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    entropy = int.from_bytes(os.urandom(10) if random is None else random, "big")
    random_a = (entropy >> 62) & 0xFFF
    return UUID(
        int=(milliseconds & 0xFFFFFFFFFFFF) << 80
        | _VERSION_7
        | random_a << 64
        | _VARIANT
        | (entropy & _RANDOM_B_MASK)
    )


def stream_of(owner_id: UUID, kind: str) -> UUID:
    """The stream of `kind` that belongs to `owner_id`, such as an account's wallet: a name-based UUID."""
    return uuid5(owner_id, kind)
