"""Have an account recharge by itself no more."""

from typing import ClassVar
from uuid import UUID

from application.auto_recharge.stream import change_auto
from application.command import Command, Done, Ports, stamp
from domain.auto_recharge import ruling
from domain.fact import Actor
from domain.operators import Permission


class StopAutoRecharge(Command, frozen=True, kw_only=True):
    """The rule and the way to pay are kept for when it is set again. An order that is under way goes on."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID


def handle(command: StopAutoRecharge, *, actor: Actor, ports: Ports) -> Done:
    """Stop it; nothing to do where it is off."""
    at = stamp(ports, actor)
    return change_auto(
        ports.store,
        command.account_id,
        lambda auto: ruling.stop(auto, account_id=command.account_id, reason="asked", stamp=at),
    )
