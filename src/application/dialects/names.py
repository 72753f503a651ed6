"""The names of members that a provider cannot be told of, as far as the client can be told of them in a header."""

import re
from collections.abc import Iterable
from typing import Final

NAMES_MAX: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def is_plain_name(name: str) -> bool:
    """Whether a member of that name can be told of: names are a stranger's words."""
    return _NAME.fullmatch(name) is not None


def plain_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those that can be told of, as many as a header takes."""
    return tuple([name for name in names if is_plain_name(name)][:NAMES_MAX])
