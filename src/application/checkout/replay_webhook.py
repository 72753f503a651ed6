"""Handle a parked message of a payment provider again."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import webhooks
from domain.recharge.webhooks import webhook_stream


class ReplayWebhook(Command, frozen=True, kw_only=True):
    """It is asked for at the provider anew."""

    permission: ClassVar[Permission] = "credit"

    provider: str
    event_ref: str


def handle(command: ReplayWebhook, *, actor: Actor, ports: Ports) -> Done:
    """Make it due; raises as `webhooks.replay`."""
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        webhook_stream(command.provider, command.event_ref),
        None,
        webhooks.evolve,
        lambda webhook: webhooks.replay(webhook, event_ref=command.event_ref, stamp=at),
    )
    ports.inbox.settle(command.provider, command.event_ref, state="waiting", reason="", order_id=None)
    return done
