"""Commands about announcements, and what readers then get."""

from typing import Any
from uuid import UUID

import pytest

from application.announcements import set_announcement, withdraw_announcement
from application.announcements.notices import notices
from application.announcements.set_announcement import SetAnnouncement
from application.announcements.withdraw_announcement import WithdrawAnnouncement
from domain.announcements import Words
from domain.fact import SYSTEM
from domain.refusal import BadField, NotFound
from tests.application.directory_world import World

TEXTS = {"en": Words(title="Maintenance", body="On Sunday."), "zh": Words(title="维护")}


def announce(world: World, **fields: Any) -> UUID:
    command = SetAnnouncement(texts=fields.pop("texts", TEXTS), **fields)
    return set_announcement.handle(command, actor=SYSTEM, ports=world.ports).id


def titles(world: World, account_id: UUID | None, language: str = "zh") -> list[tuple[str, str]]:
    world.follow()
    found = notices(
        world.directory.announcements,
        account_id=account_id,
        language=language,
        now_us=world.clock.now_us(),
    )
    return [(one.language, one.title) for one in found]


def test_members_read_it_in_their_language_until_it_is_withdrawn() -> None:
    """It begins at once unless a time is given; whoever is not signed in sees only what is public."""
    world = World()
    account_id = world.account()
    announcement_id = announce(world)
    assert titles(world, account_id) == [("zh", "维护")]
    assert titles(world, account_id, "ko") == [("en", "Maintenance")]
    assert titles(world, None) == []
    command = WithdrawAnnouncement(announcement_id=announcement_id)
    withdraw_announcement.handle(command, actor=SYSTEM, ports=world.ports)
    assert titles(world, account_id) == []


def test_a_new_wording_stays_where_it_was_in_time() -> None:
    """Unless another begin is given."""
    world = World()
    begins_us = world.clock.now_us() + 60_000_000
    announcement_id = announce(world, from_us=begins_us, audience="public")
    assert (
        announce(world, announcement_id=announcement_id, severity="critical", audience="public")
        == announcement_id
    )
    world.follow()
    assert world.directory.announcements.by_id[announcement_id].from_us == begins_us
    assert titles(world, None) == []


def test_accounts_that_are_named_must_be_there() -> None:
    """A slip of the pen would tell nobody; a language that is not ours would be read by nobody."""
    world = World()
    with pytest.raises(NotFound):
        announce(world, audience="accounts", account_ids=(UUID(int=99),))
    with pytest.raises(BadField, match="can be in en, zh, ja, ko"):
        announce(world, texts=TEXTS | {"tlh": Words(title="x")})
    account_id, other = world.account(), world.account()
    announce(world, audience="accounts", account_ids=(account_id,))
    assert titles(world, account_id) == [("zh", "维护")]
    assert titles(world, other) == []
