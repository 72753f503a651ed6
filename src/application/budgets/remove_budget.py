"""End a budget."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.budgets import budget as rules
from domain.fact import Actor
from domain.operators import Permission


class RemoveBudget(Command, frozen=True, kw_only=True):
    """Nothing is refused or told because of it any more."""

    permission: ClassVar[Permission] = "keys"

    budget_id: UUID
    reason: str


def handle(command: RemoveBudget, *, actor: Actor, ports: Ports) -> Done:
    """Remove it; raises as `budget.remove`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.budget_id,
        None,
        rules.evolve,
        lambda budget: rules.remove(budget, reason=command.reason, stamp=at),
    )
