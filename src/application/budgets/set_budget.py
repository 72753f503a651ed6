"""Bound what a key, or an account, may spend in a window of time."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Created, Ports, execute, load, stamp
from domain.budgets import budget as rules
from domain.budgets.budget import ALERT_PERCENTS, BudgetTerms
from domain.budgets.events import Enforcement
from domain.budgets.window import BudgetWindow, WindowKind
from domain.fact import Actor
from domain.keys import key as keys
from domain.operators import Permission
from domain.refusal import BadField, NotFound


class SetBudget(Command, frozen=True, kw_only=True):
    """A budget of a key, or of all keys of an account together. With its id, another amount or other alerts of one."""

    permission: ClassVar[Permission] = "keys"

    amount_nano: int
    window: WindowKind
    enforcement: Enforcement
    account_id: UUID | None = None
    key_id: UUID | None = None
    zone: str = "UTC"
    hours: int | None = None
    alert_percents: tuple[int, ...] = ALERT_PERCENTS
    budget_id: UUID | None = None


def handle(command: SetBudget, *, actor: Actor, ports: Ports) -> Created:
    """Set it.

    Raises:
        BadField: an account and a key are given, or neither.
        NotFound: there is no such account or key.
        Others as `budget.set_budget`.
    """
    budget_id = command.budget_id or ports.ids.new()
    at = stamp(ports, actor)
    terms = BudgetTerms(
        account_id=_account_of(command, ports),
        key_id=command.key_id,
        amount_nano=command.amount_nano,
        window=BudgetWindow(kind=command.window, zone=command.zone, hours=command.hours or 0),
        enforcement=command.enforcement,
        alert_percents=command.alert_percents,
    )
    done = execute(
        ports.store,
        budget_id,
        None,
        rules.evolve,
        lambda budget: rules.set_budget(budget, budget_id=budget_id, terms=terms, stamp=at),
    )
    return Created(id=budget_id, done=done)


def _account_of(command: SetBudget, ports: Ports) -> UUID:
    if (command.account_id is None) == (command.key_id is None):
        raise BadField("key_id", "or account_id must be given, and not both")
    if command.account_id is not None:
        return load_account(ports.store, command.account_id).account_id
    assert command.key_id is not None
    key = load(ports.store, command.key_id, None, keys.evolve)
    if key is None:
        raise NotFound("API key", command.key_id)
    return key.account_id
