"""What a command's result looks like outside: plain values, with the secrets that are shown this one time."""

from typing import Any

import msgspec

from application.command import Done
from domain.secret import Secret


def answer_of(result: object) -> dict[str, Any]:
    """The fields of a result; of `Done` the version and the position, never the events."""
    if result is None:
        return {}
    if isinstance(result, Done):
        return {"version": result.version, "position": result.position}
    assert isinstance(result, msgspec.Struct), "commands give structs"
    answer: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(result).items():
        if isinstance(value, Done):
            answer |= answer_of(value)
        else:
            answer[name] = _shown(value)
    return answer


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_shown(one) for one in value]
    return value.reveal() if isinstance(value, Secret) else value
