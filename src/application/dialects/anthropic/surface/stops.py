"""Why an answer ended, in the words of this dialect; `upstream` has the other direction."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_STOP_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
)


def stop_reason_of(finish_reason: Any, *, called: bool, refused: bool = False) -> str:
    """The `stop_reason` for a `finish_reason`. `called`: the answer has a tool call.

    Some providers say `stop` after a call; a client that reads `end_turn` then would not make it. A call that was cut
    short or filtered is not to be made.
    """
    reason = _STOP_REASONS.get(finish_reason, "end_turn") if type(finish_reason) is str else "end_turn"
    if reason != "end_turn":
        return reason
    if called:
        return "tool_use"
    return "refusal" if refused else reason
