"""Why Gemini stopped, in the words of chat completions: all 24 reasons of google-genai 3.4.

`BROKEN` are reasons for which the model made nothing that a client can use: where nothing else was said, the answer is a
fault, since SDKs would take an empty one for a success.
"""

from typing import Any, Final

_LENGTH: Final = frozenset({"MAX_TOKENS", "CONTINUATION"})
_FILTERED: Final = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION"),
        *("MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED"),
    }
)
BROKEN: Final = frozenset(
    {
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
        *("MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"),
    }
)
_UNSAID: Final = ("", "FINISH_REASON_UNSPECIFIED")
_NUMBERS: Final = {0: "", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}
"""Where an answer has enums as numbers; above these the two services number differently."""


def native_reason(value: Any) -> str | None:
    """The reason in a candidate, `None` while there is none."""
    if type(value) is int:
        value = _NUMBERS.get(value, "OTHER")
    if type(value) is not str or value in _UNSAID:
        return None
    return value


def finish_reason(native: str, *, called: bool, spoke: bool) -> str | None:
    """Chat's word for it, `None` if the answer is broken and empty.

    `called`: the model called a function; `spoke`: it said anything but thoughts, calls among it.
    """
    if native in _LENGTH:
        return "length"
    if native in _FILTERED:
        return "content_filter"
    if native != "STOP" and not spoke:
        return None if native in BROKEN else "content_filter"
    return "tool_calls" if called else "stop"
