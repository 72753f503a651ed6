"""Forget the saved way to pay of an account."""

from typing import ClassVar
from uuid import UUID

import structlog

from application.auto_recharge.stream import change_auto
from application.checkout.ports import ProviderError
from application.command import Command, Done, Ports, stamp
from domain.auto_recharge import ruling
from domain.auto_recharge.events import MethodForgotten
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import Refusal

log = structlog.get_logger()


class ForgetMethod(Command, frozen=True, kw_only=True):
    """Automatic recharges stop with it."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID


def handle(command: ForgetMethod, *, actor: Actor, ports: Ports) -> Done:
    """Forget it here for good, and have the provider forget it, if it answers."""
    at = stamp(ports, actor)
    done = change_auto(
        ports.store,
        command.account_id,
        lambda auto: ruling.forget_method(auto, account_id=command.account_id, stamp=at),
    )
    for event in done.events:
        if isinstance(event, MethodForgotten):
            _forget_there(event, ports)
    return done


def _forget_there(event: MethodForgotten, ports: Ports) -> None:
    """A courtesy: nobody here uses it any more."""
    try:
        ports.checkouts.saving(event.provider).forget(event.method_ref)
    except (Refusal, ProviderError) as error:
        log.warning("method_not_forgotten", account_id=str(event.account_id), error=type(error).__name__)
