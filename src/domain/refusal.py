"""Refusals: a rule said no. They carry a stable public code and the numbers; the surfaces choose status and words."""

from typing import ClassVar


class Refusal(Exception):
    """Base of every refusal by a rule of the domain. Nothing changed when one is raised."""

    code: ClassVar[str] = "refused"


class BadField(Refusal):
    """A value has the right type and still cannot be used. `reason` never repeats the value."""

    code: ClassVar[str] = "invalid_value"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class NotFound(Refusal):
    """What the command names does not exist, or is not visible to its caller."""

    code: ClassVar[str] = "not_found"

    def __init__(self, kind: str, name: object = "") -> None:
        super().__init__(f"no such {kind}: {name}" if name else f"no such {kind}")
        self.kind = kind
        self.name = str(name)


class AlreadyExists(Refusal):
    """The name or id is taken by something else than what the command describes."""

    code: ClassVar[str] = "already_exists"

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"{kind} {name} exists already")
        self.kind = kind
        self.name = str(name)


class WrongState(Refusal):
    """What the command names exists, and is in a state in which this cannot be done to it."""

    code: ClassVar[str] = "wrong_state"

    def __init__(self, kind: str, state: str) -> None:
        super().__init__(f"the {kind} is {state}")
        self.kind = kind
        self.state = state


class NotPermitted(Refusal):
    """The actor's role does not allow this."""

    code: ClassVar[str] = "not_permitted"

    def __init__(self, needed: str) -> None:
        super().__init__(f"this needs {needed}")
        self.needed = needed


class SecondOperatorNeeded(Refusal):
    """Who asked for it cannot decide about it; nothing was decided."""

    code: ClassVar[str] = "second_operator_needed"
