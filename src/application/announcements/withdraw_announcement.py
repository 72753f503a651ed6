"""Show an announcement to nobody any more."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain import announcements
from domain.announcements import ANNOUNCEMENTS_STREAM, Announcements
from domain.fact import Actor
from domain.operators import Permission


class WithdrawAnnouncement(Command, frozen=True, kw_only=True):
    """At once, before its end."""

    permission: ClassVar[Permission] = "accounts"

    announcement_id: UUID


def handle(command: WithdrawAnnouncement, *, actor: Actor, ports: Ports) -> Done:
    """Withdraw it; raises as `announcements.withdraw`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        ANNOUNCEMENTS_STREAM,
        Announcements(),
        announcements.evolve,
        lambda state: announcements.withdraw(state, command.announcement_id, stamp=at),
    )
