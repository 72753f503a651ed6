"""Finds what a request refers to instead of bringing it: what is kept in the operator's account at a provider.

All customers of a gateway share that account. Whoever guesses or learns an id could have another's file, container or
spoken answer read out, so such a request is refused unless the operator says that a deployment passes the member (`passes`).
"""

from typing import Any, Final

FILE_ID: Final = "file_id"
CONTAINER: Final = "container"
SPOKEN: Final = "audio.id"
STORED: Final = frozenset((FILE_ID, CONTAINER, SPOKEN))
_SPELLED: Final = b'"file_id"'
_DATA: Final = frozenset(("input_schema", "input_examples", "parameters"))
"""Of a tool: what stands there under any name is said to a model, and fetched by nobody."""


def stored_references(body: bytes, request: dict[str, Any]) -> tuple[str, ...]:
    """The names of members that refer to what is stored; of most requests one look at the bytes says that there is none.

    `request` is `body`, parsed. An escape in the member's name cannot hide it: such a body is walked as well.
    """
    if _SPELLED not in body and b"\\u" not in body:
        return ()
    waiting: list[Any] = list(request.values())
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            if type(value.get(FILE_ID)) is str:
                return (FILE_ID,)
            waiting.extend(value[name] for name in value if not _is_data(value, name))
        elif type(value) is list:
            waiting.extend(value)
    return ()


def kept_container(request: dict[str, Any]) -> tuple[str, ...]:
    """Whether the request goes on in a container that an earlier one left at the provider, with its files."""
    container = request.get(CONTAINER)
    kept = container.get("id") if type(container) is dict else container
    return (CONTAINER,) if type(kept) is str else ()


def spoken_before(messages: list[Any]) -> tuple[str, ...]:
    """Whether a message stands for an earlier spoken answer, which the provider keeps for a while."""
    for message in messages:
        audio = message.get("audio") if type(message) is dict else None
        if type(audio) is dict and audio.get("id") is not None:
            return (SPOKEN,)
    return ()


def _is_data(holder: dict[str, Any], name: str) -> bool:
    if name == "input":
        return holder.get("type") == "tool_use"  # what a model wrote for a tool of the client
    return name in _DATA and "name" in holder
