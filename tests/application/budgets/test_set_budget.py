"""Commands about budgets, and what gateways then go by."""

from typing import Any
from uuid import UUID

import pytest

from application.budgets import remove_budget, set_budget
from application.budgets.set_budget import SetBudget
from domain.fact import SYSTEM
from domain.refusal import BadField, NotFound
from tests.application.directory_world import World

MONTH: dict[str, Any] = {
    "amount_nano": 100,
    "window": "month",
    "zone": "Asia/Tokyo",
    "enforcement": "hard",
}


def set_(world: World, **fields: Any) -> UUID:
    command = SetBudget(**(MONTH | fields))
    return set_budget.handle(command, actor=SYSTEM, ports=world.ports).id


def remove(world: World, budget_id: UUID) -> None:
    command = remove_budget.RemoveBudget(budget_id=budget_id, reason="over")
    remove_budget.handle(command, actor=SYSTEM, ports=world.ports)


def test_a_caller_has_the_budgets_of_its_key_and_of_its_account() -> None:
    """Other keys of the account have the account's only; a removed one is nobody's."""
    world = World()
    account_id = world.account()
    mine, other = world.key(account_id), world.key(account_id)
    of_key, of_account = set_(world, key_id=mine.key_id), set_(world, account_id=account_id)

    def budgets(secret: str) -> list[UUID]:
        caller = world.follow().authenticate(secret.encode(), now_us=world.clock.now_us())
        return [one.budget_id for one in caller.budgets]

    assert budgets(mine.secret.reveal()) == [of_key, of_account]
    assert budgets(other.secret.reveal()) == [of_account]
    remove(world, of_account)
    assert budgets(mine.secret.reveal()) == [of_key]
    assert budgets(other.secret.reveal()) == []


def test_another_amount_replaces_the_one_before() -> None:
    """With the budget's id; otherwise it would be a second budget."""
    world = World()
    account_id = world.account()
    budget_id = set_(world, account_id=account_id)
    assert set_(world, account_id=account_id, amount_nano=7, budget_id=budget_id) == budget_id
    view = world.follow().account(account_id)
    assert view is not None
    assert [one.amount_nano for one in view.budgets] == [7]


def test_a_budget_is_of_one_thing_that_exists() -> None:
    """An account or a key, and not both."""
    world = World()
    account_id = world.account()
    for fields in ({}, {"account_id": account_id, "key_id": account_id}):
        with pytest.raises(BadField):
            set_(world, **fields)
    with pytest.raises(NotFound):
        set_(world, key_id=UUID(int=99))
    with pytest.raises(NotFound):
        set_(world, account_id=UUID(int=99))
    with pytest.raises(NotFound):
        remove(world, UUID(int=99))
