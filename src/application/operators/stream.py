"""Where decisions about operators are made: one stream for all of them."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from application.command import Done, execute
from application.eventlog import EventStore
from domain import operators
from domain.operators import OPERATORS_STREAM, OperatorEvent, Staff
from domain.secret import Secret


class OperatorToken(msgspec.Struct, frozen=True, kw_only=True):
    """An operator with the bearer token, which is shown this one time and kept nowhere."""

    operator_id: UUID
    token: Secret
    prefix: str
    done: Done


def decide_staff(store: EventStore, decide: Callable[[Staff], list[OperatorEvent]]) -> Done:
    """Run a decision about the staff; raises as `execute`."""
    return execute(store, OPERATORS_STREAM, Staff(), operators.evolve, decide)
