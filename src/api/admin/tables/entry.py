"""One command of operators: its words, and where it is found in the JSON API and on the command line."""

from collections.abc import Callable
from typing import Any, Final, get_type_hints

import msgspec

from application.command import Command
from domain.operators import Permission

_PLURALS: Final = {
    "alias": "aliases",
    "billing": "billing",
    "bodies": "bodies",
    "credit": "credit",
    "invoicing": "invoicing",
    "money": "money",
    "postpaid": "postpaid",
    "prices": "prices",
    "repricing": "repricing",
    "series": "series",
    "support": "support",
    "work": "work",
}


class Entry(msgspec.Struct, frozen=True):
    """One command. `new_id` names the optional field with the id of what it makes."""

    noun: str
    verb: str
    words: str  #: what it does in a short sentence, then what else is to be known
    command: type[Command]
    handle: Callable[..., Any]  #: `(command, *, actor, ports)`
    new_id: str | None = None

    @property
    def path(self) -> str:
        return f"/{_PLURALS.get(self.noun, f'{self.noun}s')}/{self.verb}"

    @property
    def permission(self) -> Permission:
        return self.command.permission

    @property
    def title(self) -> str:
        """What it does, as the first sentence says."""
        return self.words.partition(".")[0]


def entry(
    noun: str, verb: str, handle: Callable[..., Any], words: str, *, new_id: str | None = None
) -> Entry:
    command = get_type_hints(handle)["command"]
    return Entry(noun, verb, words, command, handle, new_id)
