"""From the log to a customer's server, over real sockets: signed, once noted, again until it arrives, and nowhere inside."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from adapters.hooks.client import HookSender
from adapters.hooks.tables import PostgresHookQueue
from adapters.hooks.worker_side import PostgresClaims, PostgresCollecting
from application.hooks import (
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    ping_endpoint,
    remove_endpoint,
    replay_messages,
    rotate_endpoint_secret,
)
from application.hooks.collect import collect
from application.hooks.stream import load_endpoint
from application.keys import revoke_key
from domain.catalogue.addresses import NOTHING_PRIVATE
from domain.fact import SYSTEM
from domain.hooks.retrying import TRIES_MAX
from domain.refusal import NotFound
from settings import Settings
from telling import telling
from tests.adapters.hooks.conftest import ADA, BEN, HERE, World
from tests.waiting import until


def revoke(world: World, key_id: UUID) -> None:
    revoke_key.handle(revoke_key.RevokeKey(key_id=key_id, reason="lost"), actor=SYSTEM, ports=world.ports)


def test_what_happens_arrives_signed_and_in_the_order_of_the_log(world: World) -> None:
    """Of the own account, of the kinds that were asked for, from the registration on; facts whose stream says whose they are too."""
    world.key()  # before anybody asked
    every, some = world.register(), world.register("key.revoked", path="/some")
    world.register(account_id=BEN, path="/ben")
    key_id = world.key()
    revoke(world, key_id)
    assert world.work() == 3
    by_path = {path: [one for one in world.receiver.posted if one.path == path] for path in ("/in", "/some")}
    assert len(world.receiver.posted) == 3
    told = [one.verified(every.secret.reveal()) for one in by_path["/in"]]
    assert [one["type"] for one in told] == ["key.issued", "key.revoked"]
    assert told[1]["data"]["key_id"] == str(key_id)
    assert "lost" not in str(told)  # why is said to whoever reads the log
    assert {one["data"]["account_id"] for one in told} == {str(ADA)}
    assert "secret_hash" not in str(told)
    (revoked,) = by_path["/some"]
    assert revoked.verified(some.secret.reveal()) == told[1]
    with pytest.raises(WebhookVerificationError):
        revoked.verified(every.secret.reveal())
    ids = [one.message_id for one in by_path["/in"]]
    assert ids == sorted(ids)
    assert world.work() == 0


def test_what_does_not_arrive_is_sent_again_as_it_was(world: World) -> None:
    """Whatever the server does, until it takes it: the same id, the same bytes; every try is listed."""
    made = world.register()
    world.key()
    world.receiver.statuses.extend([500, 0, 302, 200])
    world.receiver.answer_body = b"x" * 2_000_000
    for _ in range(4):
        assert world.work() == 1
        assert world.work() == 0  # it waits
        world.make_due()
    assert world.work() == 0
    assert len({(one.message_id, one.body) for one in world.receiver.posted}) == 1
    assert {one.path for one in world.receiver.posted} == {"/in"}  # no redirect is followed
    (message,) = world.messages(made.endpoint_id)
    assert (message.state, message.tries, message.next_us) == ("delivered", 4, None)
    assert [(one.status, one.error) for one in reversed(message.attempts)] == [
        (500, ""),
        (0, "upstream_closed"),
        (302, ""),
        (200, ""),
    ]
    (row,) = PostgresHookQueue(world.pool).endpoints(ADA)
    assert row.waiting == 0
    assert row.delivered_us is not None
    assert row.failed_us is not None


def test_an_endpoint_that_is_gone_is_sent_nothing_more(world: World) -> None:
    """410 disables it, with a fact that others are told of; what happens then waits until it is enabled."""
    made, other = world.register("key.issued"), world.register("endpoint.disabled", path="/other")
    world.key()
    world.receiver.statuses.append(410)
    world.work()
    endpoint = load_endpoint(world.ports.store, made.endpoint_id)
    assert (endpoint.state, endpoint.reason) == ("disabled", "the endpoint answers 410 Gone")
    world.key()
    assert world.work() == 1
    notice = world.receiver.posted[-1].verified(other.secret.reveal())
    assert (notice["type"], notice["data"]["endpoint_id"]) == ("endpoint.disabled", str(made.endpoint_id))
    enable = enable_endpoint.EnableEndpoint(endpoint_id=made.endpoint_id)
    enable_endpoint.handle(enable, actor=SYSTEM, ports=world.ports)
    assert world.work() == 1
    states = [one.state for one in world.messages(made.endpoint_id)]
    assert states == ["abandoned", "delivered"]


def test_an_endpoint_at_which_nothing_arrives_is_given_up(world: World) -> None:
    """With the last try of a message; one at which something has arrived since it was made stays enabled."""
    made = world.register()
    ping = ping_endpoint.PingEndpoint(endpoint_id=made.endpoint_id)
    ping_endpoint.handle(ping, actor=SYSTEM, ports=world.ports)
    world.work()

    def state_after_last_try(*, hours_old: int) -> str:
        world.key()
        world.collect()
        with world.pool.connection() as connection:
            connection.execute(
                "UPDATE hook_messages SET tries = %s, made_at = made_at - make_interval(hours => %s) WHERE state = 'waiting'",
                [TRIES_MAX - 1, hours_old],
            )
        world.receiver.statuses.append(503)
        assert world.send() == 1
        return load_endpoint(world.ports.store, made.endpoint_id).state

    assert state_after_last_try(hours_old=1) == "enabled"
    assert state_after_last_try(hours_old=0) == "disabled"
    assert sorted(one.state for one in world.messages(made.endpoint_id)) == [
        "abandoned",
        "abandoned",
        "delivered",
    ]


def test_a_crash_between_sending_and_noting_sends_it_again(world: World) -> None:
    """With the same id, by which the receiver knows it."""
    world.register()
    world.key()
    world.collect()
    claims = PostgresClaims(world.pool)
    (lost,) = claims.claim(limit=10, rest_s=0, busy=[])

    async def post() -> None:
        sender = HookSender(HERE)
        await sender.post(lost.endpoint.url, [(b"webhook-id", lost.message_id.encode())], lost.body)
        await sender.aclose()

    asyncio.run(post())
    assert world.send() == 1
    first, second = world.receiver.posted
    assert (first.message_id, first.body) == (second.message_id, second.body)


def test_a_crash_while_the_log_is_read_loses_and_doubles_nothing(world: World) -> None:
    """Messages and position are stored together; of two that read at once one waits for its turn."""
    made = world.register()
    for _ in range(3):
        world.key()
    collecting = PostgresCollecting(world.pool)
    with contextlib.suppress(RuntimeError), collecting.turn() as turn:
        assert turn is not None
        assert collect(collecting, world.ports.store) == 0  # another one has it
        turn.move_to(10**9)
        raise RuntimeError
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: collect(collecting, world.ports.store), range(4)))
    world.collect()
    messages = world.messages(made.endpoint_id)
    assert len({one.message_id for one in messages}) == len(messages) == 3


def test_both_secrets_sign_while_a_secret_is_exchanged(world: World) -> None:
    """And what waits goes to the new address."""
    made = world.register()
    rotate = rotate_endpoint_secret.RotateEndpointSecret(endpoint_id=made.endpoint_id)
    new = rotate_endpoint_secret.handle(rotate, actor=SYSTEM, ports=world.ports)
    world.key()
    change = change_endpoint.ChangeEndpoint(endpoint_id=made.endpoint_id, url=f"{world.receiver.url}/new/")
    change_endpoint.handle(change, actor=SYSTEM, ports=world.ports)
    world.work()
    (posted,) = world.receiver.posted
    assert posted.path == "/new/"
    assert posted.verified(made.secret.reveal()) == posted.verified(new.secret.reveal())
    now = rotate_endpoint_secret.RotateEndpointSecret(endpoint_id=made.endpoint_id, overlap_s=0)
    third = rotate_endpoint_secret.handle(now, actor=SYSTEM, ports=world.ports)
    world.key()
    world.work()
    world.receiver.posted[-1].verified(third.secret.reveal())
    with pytest.raises(WebhookVerificationError):
        world.receiver.posted[-1].verified(new.secret.reveal())


def test_messages_are_replayed_with_their_ids(world: World) -> None:
    """One of them, or all from a position on; a ping is listed as every other."""
    made = world.register()
    for _ in range(3):
        world.key()
    world.work()
    first, second, third = world.messages(made.endpoint_id)

    def replay(**wanted: object) -> int:
        command = replay_messages.ReplayMessages(endpoint_id=made.endpoint_id, **wanted)  # type: ignore[arg-type]
        return replay_messages.handle(command, actor=SYSTEM, ports=world.ports).messages

    assert replay(message_id=first.message_id) == 1
    assert replay(from_position=second.position) == 2
    assert replay(message_id="msg_nonsense") == 0
    ping = ping_endpoint.PingEndpoint(endpoint_id=made.endpoint_id)
    pinged = ping_endpoint.handle(ping, actor=SYSTEM, ports=world.ports)
    assert world.work() == 4
    sent = [one.message_id for one in world.receiver.posted]
    assert sent[3:] == [first.message_id, second.message_id, third.message_id, pinged.message_id]
    assert world.receiver.posted[-1].verified(made.secret.reveal())["type"] == "ping"
    page = PostgresHookQueue(world.pool).messages(made.endpoint_id, limit=2, state="delivered")
    assert [one.kind for one in page.items] == ["ping", "key.issued"]
    rest = PostgresHookQueue(world.pool).messages(made.endpoint_id, before=page.next_before)
    assert [one.message_id for one in rest.items] == [second.message_id, first.message_id]


def test_nothing_is_sent_inside_whatever_a_name_leads_to(world: World) -> None:
    """Refused when it is connected to: as a name that leads to a private address, and as an address that is no longer allowed."""

    async def private(_host: str) -> Sequence[str]:
        return ["127.0.0.1", "10.0.0.1", "fd00::1"]

    async def post() -> list[str]:
        sender = HookSender(NOTHING_PRIVATE, resolve=private)
        outcomes = [
            await sender.post(url, [], b"{}")
            for url in ("https://hooks.example.com/in", f"{world.receiver.url}/in")
        ]
        await sender.aclose()
        assert {one.status for one in outcomes} == {0}
        return [one.error for one in outcomes]

    assert asyncio.run(post()) == ["address_not_allowed"] * 2
    made = world.register()
    world.key()
    world.collect()
    assert world.send(NOTHING_PRIVATE) == 1
    (message,) = world.messages(made.endpoint_id)
    assert (message.state, message.attempts[0].error) == ("waiting", "address_not_allowed")
    assert world.receiver.posted == []


def test_what_is_removed_is_forgotten(world: World) -> None:
    """Nothing of what waited is sent, its secrets are gone, and old messages are dropped by the day."""
    made, kept = world.register(), world.register(path="/kept")
    world.key()
    world.collect()
    remove = remove_endpoint.RemoveEndpoint(endpoint_id=made.endpoint_id)
    remove_endpoint.handle(remove, actor=SYSTEM, ports=world.ports)
    assert world.work() == 1
    assert [one.path for one in world.receiver.posted] == ["/kept"]
    assert [one.endpoint.endpoint_id for one in PostgresHookQueue(world.pool).endpoints(ADA)] == [
        kept.endpoint_id
    ]
    with pytest.raises(NotFound):
        load_endpoint(world.ports.store, made.endpoint_id)
    queue = PostgresHookQueue(world.pool)
    queue.forget(days=1)
    assert len(queue.messages(kept.endpoint_id).items) == 1
    queue.forget(days=0)
    assert queue.messages(kept.endpoint_id).items == ()


def test_a_disabled_endpoint_is_told_later(world: World) -> None:
    """What happens meanwhile waits."""
    made = world.register()
    disable = disable_endpoint.DisableEndpoint(endpoint_id=made.endpoint_id, reason="moving")
    disable_endpoint.handle(disable, actor=SYSTEM, ports=world.ports)
    world.key()
    assert world.work() == 0
    enable = enable_endpoint.EnableEndpoint(endpoint_id=made.endpoint_id)
    enable_endpoint.handle(enable, actor=SYSTEM, ports=world.ports)
    assert world.work() >= 1


def test_the_worker_tells_by_itself(world: World) -> None:
    """Its thread collects and sends, and ends when it is told to; without a master key there is none."""
    made = world.register("key.issued")

    def is_telling() -> bool:
        return any(one.name == "hooks" for one in threading.enumerate())

    with telling(Settings(database_url=world.settings.database_url)):
        assert not is_telling()
    with telling(world.settings):
        world.key()
        until(lambda: world.receiver.posted)
    assert not is_telling()
    assert world.receiver.posted[0].verified(made.secret.reveal())["type"] == "key.issued"
