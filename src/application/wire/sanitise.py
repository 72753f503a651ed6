"""Makes an upstream's text fit for a client: none of our secrets, no address of ours, one line of bounded length."""

import re
from collections.abc import Iterable
from typing import Final

MESSAGE_CHARS_MAX: Final = 1_000
REMOVED: Final = "[removed]"

_KEY_LIKE: Final = re.compile(
    r"(?i:bearer)\s+\S+"
    r"|\b(?:sk|pk|rk|gsk|csk|xai|org|proj)[-_][A-Za-z0-9_*.-]{8,}"
    r"|\bAIza[A-Za-z0-9_-]{10,}"
    r"|[A-Za-z0-9_-]*\*{4,}[A-Za-z0-9_-]*"
)
"""Keys and account names as providers write them, whole or masked with stars."""


def sanitised(text: str, *, secrets: Iterable[str] = ()) -> str:
    """`text` with every one of `secrets` (the key, the host, the base URL) and all that looks like a key removed."""
    text = text[: 4 * MESSAGE_CHARS_MAX]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = re.sub(re.escape(secret), REMOVED, text, flags=re.IGNORECASE)
    text = _KEY_LIKE.sub(REMOVED, text)
    line = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(line.split())[:MESSAGE_CHARS_MAX]
