"""Following the log: complete, quick to refuse, and honest about its age."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
import structlog
from structlog.testing import capture_logs

from application.accounts import open_account
from application.announcements import set_announcement
from application.announcements.set_announcement import SetAnnouncement
from application.directory_follower import DirectoryFollower, FollowerSettings
from application.eventlog import LogUnavailable, NewEvent
from application.keys import revoke_key
from application.members import invite_member
from application.members.invite_member import InviteMember
from domain.announcements import Words
from domain.event import UnknownTopic
from domain.fact import SYSTEM
from domain.keys.access import InvalidApiKey
from domain.refusal import Refusal
from tests.application.directory_world import SECRET, World
from tests.fakes import NOON_US


def follower(world: World, *, poll_s: float = 0.01, batch_max: int = 1_000) -> DirectoryFollower:
    return DirectoryFollower(
        world.directory,
        store=world.store,
        vault=world.vault,
        clock=world.clock,
        settings=FollowerSettings(poll_s=poll_s, gap_s=0.001, batch_max=batch_max, stale_s_max=30.0),
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a condition of the code under test, which signals nobody
            await asyncio.sleep(0.001)


def refuses(world: World, secret: bytes) -> bool:
    try:
        world.directory.authenticate(secret, now_us=NOON_US)
    except Refusal as refusal:
        return isinstance(refusal, InvalidApiKey)
    return False


@pytest.mark.parametrize("batch_max", [1, 2, 1_000])
def test_catching_up_reads_to_the_end_and_opens_the_secrets(batch_max: int) -> None:
    """Whatever the size of a read; before that the directory is not to be trusted."""
    world = World()
    world.serve()
    one = follower(world, batch_max=batch_max)
    assert not one.is_fresh
    asyncio.run(one.catch_up())
    assert one.position == world.store.head_position()
    assert one.is_fresh
    view = world.directory.alias("acme/big")
    assert view is not None
    assert view.deployments[0].authorization == b"Bearer " + SECRET.encode()


def test_a_revoked_key_is_refused_without_any_wake_up() -> None:
    """The poll alone finds it."""
    world = World()
    key = world.key(world.account())
    secret = key.secret.reveal().encode()

    async def scenario() -> None:
        one = follower(world)
        await one.catch_up()
        assert not refuses(world, secret)
        task = asyncio.create_task(one.run())
        command = revoke_key.RevokeKey(key_id=key.key_id, reason="x")
        await asyncio.to_thread(revoke_key.handle, command, actor=SYSTEM, ports=world.ports)
        await until(lambda: refuses(world, secret))
        task.cancel()

    asyncio.run(scenario())


def test_a_wake_up_is_followed_at_once() -> None:
    """Long before the next poll, also when it came during a read."""
    world = World()

    async def scenario() -> None:
        one = follower(world, poll_s=3600)
        task = asyncio.create_task(one.run())
        for _ in range(5):
            await asyncio.to_thread(world.account)
            one.wake()
            await until(lambda: one.position == world.store.head_position())
        task.cancel()

    asyncio.run(scenario())


def test_a_log_that_is_away_makes_the_directory_old_and_then_untrusted() -> None:
    """It goes on by itself when the log is back; the trouble is logged once."""
    world = World()
    world.account()

    async def scenario() -> None:
        one = follower(world)
        await one.catch_up()
        world.store.is_down = True
        with pytest.raises(LogUnavailable):
            await one.catch_up()
        task = asyncio.create_task(one.run())
        world.clock.move(30)
        assert one.is_fresh
        assert one.age_s == 30
        world.clock.move(0.001)
        assert not one.is_fresh
        await until(lambda: any(entry["event"] == "directory_not_following" for entry in logs))
        world.store.is_down = False
        await until(lambda: one.is_fresh)
        await until(lambda: any(entry["event"] == "directory_follows_again" for entry in logs))
        task.cancel()

    structlog.reset_defaults()
    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [entry["event"] for entry in logs] == ["directory_not_following", "directory_follows_again"]


def test_a_log_that_is_newer_than_the_code_is_not_read_past() -> None:
    """What came before is applied; the age grows from then on."""
    world = World()
    account_id = world.account()
    world.store.append([NewEvent(UUID(int=500), 1, "key.quarantined.v9", b"{}")])
    late = world.account()

    async def scenario() -> None:
        one = follower(world)
        with pytest.raises(UnknownTopic):
            await one.catch_up()
        assert world.directory.account(account_id) is not None
        assert world.directory.account(late) is None
        assert not one.is_fresh

    asyncio.run(scenario())


def test_a_secret_that_does_not_open_takes_only_its_own_route_away() -> None:
    """It is logged once, without the secret, and tried again."""
    world = World()
    world.serve()
    ref, secret = next(iter(world.vault.secrets.items()))
    world.vault.secrets.clear()

    async def scenario() -> None:
        one = follower(world)
        await one.catch_up()
        await one.catch_up()
        assert one.is_fresh
        view = world.directory.alias("acme/big")
        assert view is not None
        assert view.deployments == ()
        world.vault.secrets[ref] = secret
        await one.catch_up()
        view = world.directory.alias("acme/big")
        assert view is not None
        assert len(view.deployments) == 1

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [entry["event"] for entry in logs] == ["credential_not_opened"]
    assert SECRET not in str(logs)


def test_others_get_their_turn_while_a_long_log_is_applied() -> None:
    """The loop runs other tasks between slices."""
    world = World()
    for _ in range(300):
        open_account.handle(open_account.OpenAccount(name="A"), actor=SYSTEM, ports=world.ports)

    async def scenario() -> int:
        one = DirectoryFollower(
            world.directory,
            store=world.store,
            vault=world.vault,
            clock=world.clock,
            settings=FollowerSettings(slice_s=0.0),
        )
        turns = 0
        task = asyncio.create_task(one.catch_up())
        while not task.done():
            before = one.position
            await asyncio.sleep(0)
            turns += before < one.position < 300
        await task
        return turns

    assert asyncio.run(scenario()) >= 300 // 16


def test_a_replaced_log_is_read_from_its_beginning() -> None:
    """What only the lost log said is forgotten, what stands in its place is known; it serves on in between."""
    world, replacement = World(), World()
    world.serve()
    lost = world.account()
    words = {"en": Words(title="Maintenance")}
    set_announcement.handle(SetAnnouncement(texts=words), actor=SYSTEM, ports=world.ports)
    invite_member.handle(InviteMember(account_id=lost, role="owner"), actor=SYSTEM, ports=world.ports)
    one = follower(world)
    asyncio.run(one.catch_up())
    assert world.directory.alias("acme/big") is not None
    account_id = replacement.account()
    assert replacement.store.head_position() < one.position
    one._store = replacement.store
    one.start_over()
    assert world.directory.alias("acme/big") is not None
    asyncio.run(one.catch_up())
    assert world.directory.alias("acme/big") is None
    assert world.directory.account(account_id) is not None
    assert world.directory.announcements.by_id == {}
    assert world.directory.members == {}
    assert one.position == replacement.store.head_position()
