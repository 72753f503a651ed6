"""Tell customers something, or word it anew."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Created, Ports, execute, stamp
from application.i18n.locales import LOCALES
from domain import announcements
from domain.announcements import (
    ANNOUNCEMENTS_STREAM,
    Announcement,
    Announcements,
    Audience,
    Severity,
    Words,
)
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import BadField


class SetAnnouncement(Command, frozen=True, kw_only=True):
    """The whole announcement. With the id of one, it replaces that."""

    permission: ClassVar[Permission] = "accounts"

    texts: dict[str, Words]
    severity: Severity = "info"
    audience: Audience = "customers"
    account_ids: tuple[UUID, ...] = ()
    from_us: int | None = None
    until_us: int | None = None
    announcement_id: UUID | None = None


def handle(command: SetAnnouncement, *, actor: Actor, ports: Ports) -> Created:
    """Announce it.

    Raises:
        BadField: a language that is not ours.
        NotFound: there is no account of one of the ids.
        Others as `announcements.set_announcement`.
    """
    unknown = set(command.texts) - set(LOCALES)
    if unknown:
        raise BadField("texts", f"can be in {', '.join(LOCALES)}")
    for account_id in command.account_ids[: announcements.ACCOUNTS_MAX]:
        load_account(ports.store, account_id)
    at = stamp(ports, actor)
    announcement_id = command.announcement_id or ports.ids.new()

    def decide(state: Announcements) -> list[announcements.AnnouncementEvent]:
        earlier = state.by_id.get(announcement_id)
        wanted = Announcement(
            announcement_id=announcement_id,
            severity=command.severity,
            texts=command.texts,
            audience=command.audience,
            account_ids=command.account_ids,
            from_us=_begin(command, earlier, now_us=at.now_us),
            until_us=command.until_us,
        )
        return announcements.set_announcement(state, wanted, stamp=at)

    done = execute(ports.store, ANNOUNCEMENTS_STREAM, Announcements(), announcements.evolve, decide)
    return Created(id=announcement_id, done=done)


def _begin(command: SetAnnouncement, earlier: Announcement | None, *, now_us: int) -> int:
    """As commanded; else one that is worded anew stays where it was, and a new one begins now."""
    if command.from_us is not None:
        return command.from_us
    return now_us if earlier is None else earlier.from_us
