"""What every low-rate fact carries: when it happened and who did it. Names of people never stand in one."""

from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.event import Event


class Fact(Event, frozen=True, kw_only=True):
    """Base of the facts about accounts, keys, operators and the catalogue."""

    occurred_us: int
    actor: str  #: `Actor.label`


class Actor(msgspec.Struct, frozen=True):
    """Who gives a command: an operator, a customer's member or a customer's management key by id, or the system.

    The system is the seed, and the command line on the server.
    """

    kind: Literal["operator", "system", "member", "management-key"]
    person_id: UUID | None = None  #: of a management key, the key's id

    @property
    def operator_id(self) -> UUID | None:
        """Of operators only: what they may do is no member's."""
        return self.person_id if self.kind == "operator" else None

    @property
    def label(self) -> str:
        """How facts name the actor."""
        return self.kind if self.person_id is None else f"{self.kind}:{self.person_id}"


SYSTEM = Actor("system")
_MEMBER: Final = "member:"


def member_of(label: str) -> UUID | None:
    """The customer's member whom an `Actor.label` names; none if it names somebody else."""
    return UUID(label.removeprefix(_MEMBER)) if label.startswith(_MEMBER) else None


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The time and the actor of one decision; deciders copy both on every fact."""

    now_us: int
    actor: str
