"""Finds what a request refers to instead of bringing it: a file that is kept in the operator's account at a provider.

All customers of a gateway share that account. Whoever guesses or learns an id could have another's file read out, so
such a request is refused unless the operator says that a deployment passes the member (`passes`).
"""

from typing import Any, Final

FILE_ID: Final = "file_id"
_SPELLED: Final = b'"file_id"'


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
            waiting.extend(value.values())
        elif type(value) is list:
            waiting.extend(value)
    return ()
